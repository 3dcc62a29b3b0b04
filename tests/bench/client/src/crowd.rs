//! More phones than one machine can be: what each would send is made beforehand, and then all is sent at once, each over a
//! connection of its own. For any peer that takes a POST.

use std::{cell::RefCell, time::Duration};

use anyhow::{Context as _, Result, ensure};
use aralau_client_sdk::{HttpRequest, HttpResponse, Transport, TransportError};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A phone that is not let in at once tries again.
const RETRY: Duration = Duration::from_secs(1);
const OPEN_FILES_BESIDE: u64 = 256;

/// A whole HTTP/1.1 request.
pub fn raw(method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Keeps what a device would send, and is a line without signal otherwise.
#[derive(Default)]
pub struct Kept(RefCell<Option<Vec<u8>>>);

impl Kept {
    pub fn request(self) -> Result<Vec<u8>> {
        self.0.into_inner().context("the device sent nothing")
    }
}

impl Transport for Kept {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let path = request.url.find("/v1").map_or("/", |at| &request.url[at..]);
        *self.0.borrow_mut() = Some(raw(request.method, path, &request.headers, &request.body));
        Err(TransportError::Unreachable)
    }
}

/// Sends everything at once. Returns how many were answered with 200; any other answer is an error.
pub fn send(port: u16, requests: Vec<Vec<u8>>) -> Result<u64> {
    let files = rlimit::increase_nofile_limit(requests.len() as u64 + OPEN_FILES_BESIDE)?;
    ensure!(files > requests.len() as u64, "only {files} files may be open at once");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let sending: Vec<_> = requests.into_iter().map(|request| tokio::spawn(post(port, request))).collect();
        let (mut answered, mut tried_again) = (0, 0);
        for one in sending {
            tried_again += one.await??;
            answered += 1;
        }
        eprintln!("{answered} answered, {tried_again} connections tried again");
        Ok(answered)
    })
}

/// Returns how often it had to try again.
async fn post(port: u16, request: Vec<u8>) -> Result<u64> {
    let mut tried_again = 0;
    let answer = loop {
        match exchange(port, &request).await {
            Ok(answer) => break answer,
            // Not let in, or shown the door before anything was read: more phones than a queue is long.
            Err(_) => tried_again += 1,
        }
        tokio::time::sleep(RETRY).await;
    };
    let head = answer.get(..12.min(answer.len())).unwrap_or_default();
    ensure!(head == b"HTTP/1.1 200", "answered {:?}", String::from_utf8_lossy(&answer[..answer.len().min(600)]));
    Ok(tried_again)
}

async fn exchange(port: u16, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}
