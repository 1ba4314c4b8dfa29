//! What people say about the pictures: words, and sentences made of them.

mod lexicon;
mod sentence;

pub(crate) use lexicon::{NUMBERS, name};
pub(crate) use sentence::{Voice, caption};
