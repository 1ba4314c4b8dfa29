//! Independent prompts inside the towers: visual prompt tuning (Jia et al., arXiv
//! 2203.12119) and independent vision-language prompting, the two baselines of
//! MaPLe (Khattak et al., arXiv 2210.03117).

mod ivlp;
mod vpt;

use harness_sdk::export_plugin;

pub use ivlp::Ivlp;
pub use vpt::Vpt;

export_plugin!(Vpt, Ivlp);
