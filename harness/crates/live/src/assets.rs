//! The page itself.

pub(crate) const PAGE: &str = include_str!("page/page.html");
pub(crate) const STYLE: &str = include_str!("page/page.css");
pub(crate) const ICON: &str = include_str!("page/icon.svg");
pub(crate) const SCRIPT: &str = include_str!("page/page.js");
