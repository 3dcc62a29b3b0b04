//! Headquarters: asks the server over HTTP what it holds.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// Someone with a token, or without one.
#[derive(Debug, Clone)]
pub struct Headquarters {
    agent: Agent,
    url: String,
    token: Option<String>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: String,
    /// JSON, or null where it is something else.
    pub body: Value,
    /// As received.
    pub text: String,
}

impl Reply {
    /// The stable code of a problem.
    #[track_caller]
    pub fn code(&self) -> &str {
        assert_eq!(self.content_type, "application/problem+json", "{}: {}", self.status, self.text);
        assert_eq!(self.body["status"], self.status);
        self.body["code"].as_str().expect("a code")
    }

    /// Status and code of a problem.
    #[track_caller]
    pub fn problem(&self) -> (u16, &str) {
        (self.status, self.code())
    }
}

impl Headquarters {
    /// At this server.
    pub fn new(url: &str, token: Option<&str>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60)));
        Self { agent: config.build().new_agent(), url: url.to_owned(), token: token.map(str::to_owned) }
    }

    /// Asks.
    pub fn ask(&self, path: &str) -> Reply {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(request.call().expect("an answer"))
    }

    /// Asks for what must be there.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let reply = self.ask(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    /// Tells.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        let mut request = self.agent.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(request.send(body.to_string()).expect("an answer"))
    }

    /// The visits of all pages of a list, newest first.
    #[track_caller]
    pub fn visits(&self, filter: &str) -> Vec<Value> {
        self.all("visits", &format!("/v1/visits?limit=1000{filter}"))
    }

    /// Held entries.
    #[track_caller]
    pub fn quarantine(&self) -> Vec<Value> {
        self.all("held", "/v1/quarantine?limit=100")
    }

    /// Conflicts.
    #[track_caller]
    pub fn conflicts(&self) -> Vec<Value> {
        self.all("conflicts", "/v1/conflicts?limit=100")
    }

    #[track_caller]
    fn all(&self, name: &str, path: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{cursor}"));
            all.extend(page[name].as_array().expect("a list").iter().cloned());
            let Some(next) = page["next"].as_str() else { return all };
            cursor = format!("&cursor={next}");
        }
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Reply {
    let header = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    let content_type = header.unwrap_or_default().to_owned();
    let bytes = response.body_mut().with_config().limit(u64::MAX).read_to_vec().expect("a whole answer");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or_default();
    Reply { status: response.status().as_u16(), content_type, body, text }
}
