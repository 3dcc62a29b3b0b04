//! TLS without a proxy: who stands between, which certificate is shown, and what does not come to be a connection.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use aralau_client_sdk::{Fingerprint, HttpRequest, HttpTransport, Transport as _, TransportError};
use aralau_sync_core::digest::fingerprint;
use aralau_tests::{
    phone::Phone,
    process::{Server, aralau, command, eventually, finish, trusting},
    world::{World, admin},
};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

const SELF_SIGNED: [(&str, &str); 1] = [("ARALAU_TLS_SELF_SIGNED", "1")];
const SELF_SIGNED_FILE: &str = "tls-self-signed.pem";

/// A code, and what the server's certificate is known by.
fn invite(world: &World, name: &str) -> (String, String) {
    let made = world.admin(&["enroll", "--beat", "beat-01", "--inspector", name]).ok().object();
    let text = |key: &str| made[key].as_str().unwrap_or_else(|| panic!("{key}: {made}")).to_owned();
    (text("code"), text("fingerprint"))
}

/// A pair of files as an operator has them, and what the certificate is known by.
fn certificate(folder: &Path, name: &str, until: i32) -> (String, String, Fingerprint) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    let made = params.self_signed(&key).unwrap();
    let write = |end: &str, text: &str| {
        let path = folder.join(format!("{name}.{end}"));
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (write("pem", &made.pem()), write("key", &key.serialize_pem()), fingerprint(made.der()))
}

/// Whether the server shows this certificate.
fn shows(server: &Server, certificate: Fingerprint) -> Result<u16, TransportError> {
    let request = HttpRequest {
        method: "GET",
        url: format!("{}/livez", server.url()),
        headers: Vec::new(),
        body: Vec::new(),
        max_answer_bytes: 1024,
        certificate: Some(certificate),
    };
    HttpTransport::default().send(&request).map(|answer| answer.status)
}

fn serve(data: &Path, more: &[&str]) -> Server {
    let mut command = command(Server::arguments(data, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
    // The log tells what was read again.
    command.args(more).env("ARALAU_LOG", "info");
    Server::launch(command, data)
}

#[test]
fn a_phone_that_was_given_a_fingerprint_takes_no_other_certificate_from_then_on() {
    let world = World::set(&SELF_SIGNED);
    let (code, fingerprint) = invite(&world, "Aigul");
    assert_eq!(world.admin(&["fingerprint"]).ok().object()["fingerprint"], fingerprint);
    let phone = Phone::at(&world.path("phone"));
    let url = world.server.url();
    let enroll = |more: &[&str]| phone.run(&[&["enroll", "--server", &url, "--code", &code], more].concat());
    assert_eq!(enroll(&[]).failed(), "certificate_untrusted", "nobody vouches for it");
    assert_eq!(enroll(&["--fingerprint", &"ab".repeat(32)]).failed(), "certificate_other");
    // Nothing was sent: the code is as good as new.
    enroll(&["--fingerprint", &fingerprint]).ok();
    phone.sync();
    let visit = phone.log(&phone.places()[0], &["--note", "kept"]);

    // Somebody stands between, with a certificate of their own.
    let World { server, .. } = &world;
    let address = server.address;
    let own = fs::read(server.data.join(SELF_SIGNED_FILE)).unwrap();
    server.signal("TERM");
    let stands_between = |data: &Path| {
        eventually("the port is free", || std::net::TcpListener::bind(address).is_ok());
        let mut command = command(Server::arguments(data, address));
        command.envs(SELF_SIGNED);
        Server::launch(command, data)
    };
    let other = stands_between(&world.path("other"));
    let refused = phone.run(&["sync"]);
    assert_eq!(refused.failed(), "certificate_other");
    assert!(refused.stderr.contains("Ask headquarters"), "{}", refused.stderr);
    // Nor does a new code bring it to another, as long as nobody gives it the fingerprint.
    admin(&other.data, &["sample"]).ok();
    let made = admin(&other.data, &["enroll", "--beat", "beat-01", "--inspector", "Aigul"]).ok().object();
    let code = made["code"].as_str().unwrap();
    assert_eq!(phone.run(&["enroll", "--server", &url, "--code", code]).failed(), "certificate_other");
    assert_eq!(phone.run(&["status"]).ok().object()["unsent"], 1);
    drop(other);

    // The server itself comes back, and all goes on.
    let again = stands_between(&world.server.data);
    assert_eq!(fs::read(again.data.join(SELF_SIGNED_FILE)).unwrap(), own, "made once");
    phone.sync();
    assert_eq!(phone.visit(&visit)["state"], "at_headquarters");
}

#[test]
fn a_phone_that_enrolled_over_tls_does_not_go_back_to_plain_http() {
    let world = World::set(&SELF_SIGNED);
    let (code, fingerprint) = invite(&world, "Aigul");
    let phone = Phone::at(&world.path("phone"));
    let link = format!("{}/field/#code={code}&fingerprint={fingerprint}", world.server.url());
    let plain = link.replace("https://", "http://");
    assert_eq!(
        phone.run(&["enroll", "--insecure", "--link", &plain]).failed(),
        "insecure_url",
        "a certificate is of TLS"
    );
    phone.run(&["enroll", "--link", &link]).ok();
    phone.sync();
    let (code, _) = invite(&world, "Aigul");
    let plain = format!("http://{}", world.server.address);
    let stripped = phone.run(&["enroll", "--insecure", "--server", &plain, "--code", &code]);
    assert_eq!(stripped.failed(), "downgrade");
    phone.run(&["enroll", "--server", &world.server.url(), "--code", &code]).ok();
    phone.sync();
    assert_eq!(
        phone.run(&["enroll", "--link", &link[..link.len() - 1]]).failed(),
        "link",
        "half a fingerprint is none"
    );
}

#[test]
fn a_plain_request_is_told_what_the_port_speaks_and_the_health_check_finds_its_way() {
    let world = World::set(&SELF_SIGNED);
    let mut line = TcpStream::connect(world.server.address).unwrap();
    write!(line, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
    let data = world.server.data.to_str().unwrap();
    let listen = world.server.address.to_string();
    let health = aralau(["health", "--json", "--data", data, "--listen", &listen]);
    assert_eq!(health.ok().object()["ready"], true);
    // What a browser is told over TLS.
    let answer = trusting().get(format!("{}/v1/deployment", world.server.url())).call().unwrap();
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let token = world.admin(&["token", "--role", "headquarters"]).ok().object()["token"].clone();
    let signed_in = trusting()
        .post(format!("{}/v1/session", world.server.url()))
        .header("content-type", "application/json")
        .send(serde_json::json!({ "token": token }).to_string())
        .unwrap();
    assert!(signed_in.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}

#[test]
fn what_is_no_handshake_is_closed_and_keeps_nobody_waiting() {
    let world = World::set(&SELF_SIGNED);
    let closes = |bytes: &[u8]| {
        let mut line = TcpStream::connect(world.server.address).unwrap();
        line.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        line.write_all(bytes).unwrap();
        let mut rest = Vec::new();
        // Closed, whether or not with an alert.
        let closed = line.read_to_end(&mut rest);
        assert!(closed.is_ok() || closed.unwrap_err().kind() == std::io::ErrorKind::ConnectionReset);
        rest
    };
    let mut oversized = vec![0x16, 3, 1, 0xff, 0xff];
    oversized.extend([0x41; 70_000]);
    closes(&oversized);
    // A message of a handshake that says of itself that it is 16 MiB long.
    let mut announced = vec![0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
    announced.extend([0x41; 16_380]);
    for _ in 0..8 {
        announced.extend([0x16, 3, 1, 0x40, 0]);
        announced.extend([0x41; 16_384]);
    }
    closes(&announced);
    closes(b"\x16\x03\x01\x00\x05hello");
    closes(b"\x80\x2e\x01\x00\x02");
    closes(b"\x00");
    // Fifty that say nothing, or half of something, while others are served; and each is let go of.
    let silent: Vec<_> = (0..50)
        .map(|number| {
            let mut line = TcpStream::connect(world.server.address).unwrap();
            if number % 2 == 0 {
                line.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).unwrap();
            }
            line.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
            line
        })
        .collect();
    let began = Instant::now();
    assert_eq!(trusting().get(format!("{}/livez", world.server.url())).call().unwrap().status(), 200);
    assert!(began.elapsed() < Duration::from_secs(5));
    for mut line in silent {
        let closed = line.read(&mut [0; 64]);
        assert!(!closed.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "it is still waited for");
    }
    assert!((8..30).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    let metrics = trusting().get(format!("{}/metrics", world.server.url())).call().unwrap();
    let metrics = metrics.into_body().read_to_string().unwrap();
    for told in ["tls_refused_total{reason=\"timeout\"} 50", "tls_refused_total{reason=\"handshake\"} 5"] {
        assert!(metrics.contains(told), "{told}: {metrics}");
    }
}

#[test]
fn a_new_certificate_is_taken_up_without_a_restart_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate_file, key_file, first) = certificate(folder.path(), "server", 2090);
    let server = serve(&folder.path().join("data"), &["--tls-cert", &certificate_file, "--tls-key", &key_file]);
    assert_eq!(shows(&server, first), Ok(200));
    let put = |name: &str, until: i32| {
        let (certificate, key, fingerprint) = certificate(folder.path(), name, until);
        fs::rename(certificate, &certificate_file).unwrap();
        fs::rename(key, &key_file).unwrap();
        fingerprint
    };
    // By itself, some seconds after the files have changed.
    let second = put("second", 2090);
    eventually("the second is shown", || shows(&server, second) == Ok(200));
    assert_eq!(shows(&server, first), Err(TransportError::CertificateOther));
    // At once where it is told to look. A key that does not fit, or a certificate that has ended, changes nothing.
    put("ended", 2021);
    server.signal("HUP");
    eventually("the ended one is refused", || server.log().contains("renew it"));
    let (_, other_key, _) = certificate(folder.path(), "other", 2090);
    let kept = fs::read(&key_file).unwrap();
    let third = put("third", 2090);
    let fitting = fs::read(&key_file).unwrap();
    fs::rename(other_key, &key_file).unwrap();
    server.signal("HUP");
    eventually("the pair is refused", || server.log().contains("does not belong to the first certificate"));
    assert_eq!(shows(&server, second), Ok(200), "the one before goes on");
    assert_ne!(kept, fitting);
    fs::write(&key_file, fitting).unwrap();
    server.signal("HUP");
    eventually("the third is shown", || shows(&server, third) == Ok(200));
}

#[test]
fn a_certificate_that_cannot_be_shown_is_refused_as_the_server_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let data = path("data");
    let (certificate_file, key, _) = certificate(folder.path(), "good", 2090);
    let (ended, ended_key, _) = certificate(folder.path(), "ended", 2021);
    fs::write(path("locked.key"), "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
        .unwrap();
    let refused = |more: &[&str]| {
        let mut command = command(["serve", "--data", &data, "--listen", "127.0.0.1:0", "--json"]);
        command.args(more);
        let run = finish(command);
        (run.failed(), run.object()["error"]["message"].as_str().unwrap().to_owned())
    };
    for (more, code, words) in [
        (&["--tls-cert", &certificate_file, "--tls-key", &path("gone")][..], "tls", "check the path"),
        (&["--tls-cert", &certificate_file, "--tls-key", &ended_key], "tls", "does not belong"),
        (&["--tls-cert", &ended, "--tls-key", &ended_key], "tls", "renew it"),
        (&["--tls-cert", &certificate_file, "--tls-key", &path("locked.key")], "tls", "is encrypted"),
        (&["--tls-cert", &certificate_file], "config", "together"),
        (&["--tls-cert", &certificate_file, "--tls-key", &key, "--tls-self-signed"], "config", "not both"),
    ] {
        let (said, sentence) = refused(more);
        assert_eq!(said, code, "{more:?}: {sentence}");
        assert!(sentence.contains(words), "{more:?}: {sentence}");
    }
    let usage = aralau(["serve", "--data", &data, "--trusted-proxy", "localhost", "--json"]);
    assert_eq!(usage.failed(), "usage");
}

/// Sends this head as it stands; the answer.
fn raw(address: SocketAddr, head: &str) -> String {
    let mut line = TcpStream::connect(address).unwrap();
    line.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    line.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    drop(line.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_code_is_guessed_no_faster_behind_a_proxy_than_from_one_address() {
    let world = World::set(&[("ARALAU_TRUSTED_PROXY", "127.0.0.1"), ("ARALAU_WRONG_CODES_PER_MINUTE", "4")]);
    let sign_in = |from: &str, token: &str| {
        let body = format!("{{\"token\":\"{token}\"}}");
        let answer = raw(
            world.server.address,
            &format!(
                "POST /v1/session HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {from}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let token = world.admin(&["token", "--role", "headquarters"]).ok().object()["token"].as_str().unwrap().to_owned();
    for number in 0..4 {
        assert_eq!(sign_in(&format!("192.0.2.{number}, 203.0.113.9"), &format!("aralau_AAA{number}")), "401");
    }
    assert_eq!(sign_in("192.0.2.99, 203.0.113.9", "aralau_AAAA"), "429", "the forged part is not counted by");
    assert_eq!(sign_in("203.0.113.10", &token), "200", "a right one from elsewhere is not put off");
    assert!(world.server.log().contains("203.0.113.9"), "the operator is told: {}", world.server.log());
}

#[test]
fn nothing_of_a_head_comes_back_as_a_head() {
    let world = World::new();
    for head in [
        "GET /livez HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 1.1.1.1\rset-cookie: evil=1\r\nconnection: close\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 1.1.1.1\0evil\r\nconnection: close\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: x\r\n folded: evil=1\r\nconnection: close\r\n\r\n",
        "GET /%0d%0aset-cookie:%20evil=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /v1/export.csv?language=%0d%0aset-cookie:evil=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /field HTTP/1.1\r\nhost: evil.example/\r\nx-forwarded-host: evil.example\r\nconnection: close\r\n\r\n",
        "POST /v1/session HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
    ] {
        let answer = raw(world.server.address, head);
        let said = answer.split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
        assert!(!said.contains("evil") && !said.contains("set-cookie"), "{head:?}: {answer}");
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{head:?}: {answer}");
    }
    assert_eq!(world.headquarters().ask("/livez").status, 200);
}
