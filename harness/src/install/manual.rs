//! Man pages and completion scripts, from the same definition as the help.

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;

/// A page for the program and one for each command: file name and text.
pub(super) fn pages() -> Vec<(String, Vec<u8>)> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(command, &mut pages);
    pages
}

fn add(command: Command, pages: &mut Vec<(String, Vec<u8>)>) {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    for sub in shown.cloned().collect::<Vec<_>>() {
        add(sub, pages);
    }
    let page = Man::new(command);
    let mut text = Vec::new();
    page.render(&mut text)
        .expect("writing to memory cannot fail");
    pages.push((page.get_filename(), text));
}

/// Scripts where bash, zsh and fish look for them under a prefix.
pub(super) fn completions() -> impl Iterator<Item = (String, Vec<u8>)> {
    let scripts = [
        (Shell::Bash, "share/bash-completion/completions/harness"),
        (Shell::Zsh, "share/zsh/site-functions/_harness"),
        (Shell::Fish, "share/fish/vendor_completions.d/harness.fish"),
    ];
    scripts.into_iter().map(|(shell, path)| {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "harness", &mut script);
        (path.to_owned(), script)
    })
}
