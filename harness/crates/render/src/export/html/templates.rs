//! The templates of the page. A value that a template prints is escaped.

use minijinja::value::Serde;
use minijinja::{Environment, Error};
use serde::Serialize;

pub(super) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    pub(super) fn new() -> Result<Self, Error> {
        let mut environment = Environment::new();
        // The ending of the name turns escaping on.
        for (name, source) in [
            ("page.html", include_str!("page.html")),
            ("block.html", include_str!("block.html")),
            ("chain.html", include_str!("chain.html")),
            ("scatter.html", include_str!("scatter.html")),
            ("flow.html", include_str!("flow.html")),
            ("comparison.html", include_str!("comparison.html")),
            ("provenance.html", include_str!("provenance.html")),
        ] {
            environment.add_template(name, source)?;
        }
        Ok(Self { environment })
    }

    pub(super) fn render(&self, name: &str, values: impl Serialize) -> Result<String, Error> {
        self.environment.get_template(name)?.render(Serde(values))
    }
}
