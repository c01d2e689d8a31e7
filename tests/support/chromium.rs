//! A real Chromium, driven over WebDriver by a chromedriver of its own.

use super::{Server, free_port, program, server_folder};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use std::path::Path;

/// What kind of browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// 390 x 844 points, as a usual phone has.
    Phone,
    /// 1280 x 900.
    Desktop,
    /// A desktop whose owner forbids script.
    WithoutScript,
}

/// A browser window; close it with [`Browser::close`].
pub struct Browser {
    pub client: Client,
    _driver: Server,
}

impl Browser {
    pub async fn open(look: Look) -> Browser {
        let driver = program("chromedriver", "chromium-driver");
        let chromium = program("chromium", "chromium");
        let folder = server_folder("chromium");
        let capabilities = capabilities(&chromium, &folder, look);
        let port = free_port();
        let mut server =
            Server::start(folder, "TERM", &[driver.to_str().expect("a path in UTF-8"), &format!("--port={port}")]);
        server.wait_for_port(port);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}\n{}", server.log()));
        Browser { client, _driver: server }
    }

    pub async fn close(self) {
        self.client.close().await.expect("Chromium closes");
    }

    /// Keeps a picture of the page in the folder that the environment variable `SCREENSHOTS` names, if it is set.
    pub async fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            let picture = self.client.screenshot().await.expect("a picture");
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), picture).expect("the folder is there");
        }
    }
}

fn capabilities(chromium: &Path, folder: &Path, look: Look) -> Capabilities {
    let mut arguments: Vec<String> = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--user-data-dir={}", folder.join("profile").display()));
    let mut options = json!({ "binary": chromium, "args": arguments });
    match look {
        Look::Phone => {
            let screen = json!({ "width": 390, "height": 844, "pixelRatio": 2.0, "mobile": true, "touch": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": screen });
        }
        // 2: block, as in the browser's own settings.
        Look::WithoutScript => {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        Look::Desktop => {}
    }
    let mut capabilities = Capabilities::new();
    capabilities.insert("browserName".into(), json!("chrome"));
    capabilities.insert("goog:chromeOptions".into(), options);
    capabilities
}
