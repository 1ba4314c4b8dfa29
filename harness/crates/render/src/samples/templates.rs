//! The templates of the pages. A value that a template prints is escaped.

use minijinja::value::Serde;
use minijinja::{Environment, Error, context};
use serde::Serialize;

use harness_store::sha256_hex;

const STYLE: &str = concat!(
    include_str!("../export/html/report.css"),
    include_str!("samples.css")
);

pub(super) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    pub(super) fn new() -> Result<Self, Error> {
        let mut environment = Environment::new();
        // The ending of the name turns escaping on.
        environment.add_template("frame.html", include_str!("frame.html"))?;
        environment.add_template("page.html", include_str!("page.html"))?;
        environment.add_template("index.html", include_str!("index.html"))?;
        Ok(Self { environment })
    }

    /// A whole page.
    pub(super) fn render(
        &self,
        name: &str,
        title: &str,
        values: impl Serialize,
    ) -> Result<String, Error> {
        let body = self.environment.get_template(name)?.render(Serde(values))?;
        let frame = self.environment.get_template("frame.html")?;
        // Over all that was brought, so that nothing in it can contain the nonce.
        let nonce = sha256_hex(body.as_bytes())[..32].to_owned();
        frame.render(context! { title, nonce, style => STYLE, body })
    }
}
