//! A real browser for tests: chromedriver, spoken to in plain W3C WebDriver.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::tool::tool;

/// A headless Chromium with a profile of its own. It ends with this value.
pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    session: String,
    _profile: tempfile::TempDir,
}

/// The key of the tabulator in the protocol.
pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const RIGHT: &str = "\u{e014}";
pub const DOWN: &str = "\u{e015}";

impl Browser {
    /// `None` where the browser or its driver is not there.
    pub fn start() -> Option<Self> {
        let (chromium, chromedriver) = (tool("chromium")?, tool("chromedriver")?);
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(driver.stdout.take().unwrap());
        let port = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("chromedriver names no port");
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let mut browser = Self {
            driver,
            agent: config.build().into(),
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
        };
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            format!("--user-data-dir={}", browser._profile.path().display()),
        ];
        let answer = browser.post(
            "",
            json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"binary": chromium, "args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"},
            }}}),
        );
        browser.session += &format!("/{}", answer["sessionId"].as_str().unwrap());
        Some(browser)
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.session);
        let mut response = self.agent.post(&url).send_json(&body).unwrap();
        let status = response.status();
        let mut answer: Value = response.body_mut().read_json().unwrap();
        assert!(status.is_success(), "{path} {body}: {answer}");
        answer["value"].take()
    }

    /// Opens a file.
    pub fn open(&self, path: &Path) {
        self.visit(&format!("file://{}", path.display()));
    }

    /// Opens an address.
    pub fn visit(&self, url: &str) {
        self.post("/url", json!({"url": url}));
    }

    /// What a function body returns.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []}))
    }

    /// Presses keys, one after the other.
    pub fn press(&self, keys: &[&str]) {
        let keys = keys.iter().flat_map(|key| {
            [
                json!({"type": "keyDown", "value": key}),
                json!({"type": "keyUp", "value": key}),
            ]
        });
        let actions = json!([{"type": "key", "id": "keys", "actions": keys.collect::<Vec<_>>()}]);
        self.post("/actions", json!({"actions": actions}));
    }

    /// Clicks the first element of a selector.
    pub fn click(&self, selector: &str) {
        let found = self.post(
            "/element",
            json!({"using": "css selector", "value": selector}),
        );
        let id = found
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_str()
            .unwrap();
        self.post(&format!("/element/{id}/click"), json!({}));
    }

    /// A command of Chromium's own protocol.
    pub fn chromium(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.post("/goog/cdp/execute", body)
    }

    /// Gives the page a screen of `width` × `height`.
    pub fn resize(&self, width: u32, height: u32, is_phone: bool) {
        let scale = if is_phone { 2 } else { 1 };
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone,
        });
        self.chromium("Emulation.setDeviceMetricsOverride", size);
    }

    /// What the console said since the last call.
    pub fn console(&self) -> Vec<String> {
        let entries = self.post("/se/log", json!({"type": "browser"}));
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// The page on paper, as base64 of a PDF file.
    pub fn print(&self) -> String {
        let printed = self.post(
            "/print",
            json!({"orientation": "landscape", "background": true}),
        );
        printed.as_str().unwrap().to_owned()
    }

    /// Saves what is seen as a PNG file, the whole page, where `HARNESS_SCREENSHOTS` names a
    /// folder.
    pub fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("HARNESS_SCREENSHOTS") else {
            return;
        };
        let answer = self.chromium(
            "Page.captureScreenshot",
            json!({"format": "png", "captureBeyondViewport": true}),
        );
        let file = Path::new(&folder).join(format!("{name}.png.base64"));
        std::fs::write(file, answer["data"].as_str().unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session; its driver would wait for another one.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
