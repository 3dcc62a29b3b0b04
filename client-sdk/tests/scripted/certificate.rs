//! What a device knows its server by goes with every request, and does not get lost.

use std::cell::RefCell;

use aralau_client_sdk::{
    Action, Certificate, Client, Fingerprint, HttpRequest, HttpResponse, Invitation, SyncOptions, Transport,
    TransportError, store::MemoryStore,
};

use crate::server::{
    line::Line,
    phone::{TestClock, seams},
};

const URL: &str = "https://hq.example";

/// A line to a server with one certificate.
struct Shows {
    line: Line,
    certificate: Fingerprint,
    asked: RefCell<Vec<Option<Fingerprint>>>,
}

impl Shows {
    fn one(byte: u8) -> Self {
        Self { line: Line::new(), certificate: Fingerprint([byte; 32]), asked: RefCell::default() }
    }

    fn asked(&self) -> Vec<Option<u8>> {
        self.asked.take().into_iter().map(|asked| asked.map(|Fingerprint(bytes)| bytes[0])).collect()
    }
}

impl Transport for Shows {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.asked.borrow_mut().push(request.certificate);
        let is_known = request.certificate.is_none_or(|certificate| certificate == self.certificate);
        if is_known { self.line.send(request) } else { Err(TransportError::CertificateOther) }
    }
}

fn new_phone() -> Client<MemoryStore> {
    Client::open_in_memory(seams(1, &TestClock::default())).expect("opens")
}

fn invited(certificate: Certificate) -> Invitation {
    Invitation { certificate, ..Invitation::new(URL, "Aigul") }
}

#[test]
fn a_device_that_was_given_a_certificate_asks_for_it_with_every_request_until_it_is_told_otherwise() {
    let line = Shows::one(1);
    let mut phone = new_phone();
    let wrong = phone.enroll_by(&line, invited(Certificate::Only(Fingerprint([2; 32])))).expect_err("another");
    assert_eq!((wrong.code(), wrong.action(), phone.is_enrolled()), ("certificate_other", Action::Report, false));
    phone.enroll_by(&line, invited(Certificate::Only(Fingerprint([1; 32])))).expect("enrolls");
    phone.sync(&line, SyncOptions::default()).expect("syncs");
    // By an address and a code alone: it still knows whom it wants.
    phone.enroll(&line, URL, "Aigul").expect("enrolls again");
    phone.sync(&line, SyncOptions::default()).expect("syncs");
    assert_eq!(line.asked(), [Some(2), Some(1), Some(1), Some(1), Some(1)]);
    phone.enroll_by(&line, invited(Certificate::Trusted)).expect("enrolls");
    phone.sync(&line, SyncOptions::default()).expect("syncs");
    assert_eq!(line.asked(), [None, None]);
}

#[test]
fn whoever_stands_between_gets_nothing_and_the_device_does_not_keep_trying() {
    let line = Shows::one(1);
    let mut phone = new_phone();
    phone.enroll_by(&line, invited(Certificate::Only(Fingerprint([1; 32])))).expect("enrolls");
    let between = Shows::one(3);
    let wait = SyncOptions { wait: std::time::Duration::from_secs(60) };
    let refused = phone.sync(&between, wait).expect_err("another's");
    assert_eq!((refused.code(), refused.action()), ("certificate_other", Action::Report));
    assert_eq!(between.asked(), [Some(1)]);
    let refused = phone.enroll(&between, URL, "Aigul").expect_err("another's");
    assert_eq!(refused.code(), "certificate_other");
    phone.sync(&line, SyncOptions::default()).expect("nothing is lost");
}

#[test]
fn a_device_that_enrolled_over_tls_does_not_go_back() {
    let line = Shows::one(1);
    let mut phone = new_phone();
    let plain = Invitation { url: "http://hq.example".to_owned(), ..invited(Certificate::Only(Fingerprint([1; 32]))) };
    assert_eq!(phone.enroll_by(&line, plain).expect_err("no TLS").code(), "insecure_url");
    phone.enroll(&line, URL, "Aigul").expect("enrolls");
    let plain = Invitation { url: "http://hq.example".to_owned(), ..invited(Certificate::Trusted) };
    let refused = phone.enroll_by(&line, plain).expect_err("no TLS any more");
    assert_eq!((refused.code(), refused.action()), ("downgrade", Action::Correct));
    assert_eq!(line.asked(), [None], "nothing was sent in the clear");
    phone.sync(&line, SyncOptions::default()).expect("syncs");
}
