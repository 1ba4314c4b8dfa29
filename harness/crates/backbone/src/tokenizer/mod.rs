//! Text to token ids, as CLIP does it.

mod clean;
mod clip;
mod encoder;
mod mojibake;
mod repair;

pub use encoder::Tokenizer;
