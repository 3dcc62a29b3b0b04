//! TLS with a server that is known by its certificate alone: no name, no end and no authority count, only its fingerprint.
//!
//! That the server holds the certificate's key is checked as ever, by its signature over the handshake.

use std::{
    fmt,
    io::{self, Read as _, Write as _},
    sync::Arc,
};

use aralau_sync_core::{digest::fingerprint, id::Fingerprint};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use ureq::{
    Agent,
    config::Config,
    unversioned::{
        resolver::DefaultResolver,
        transport::{
            Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
            TcpConnector, Transport, TransportAdapter,
        },
    },
};

use super::TransportError;

/// An agent that speaks with whoever holds this certificate, and nobody else. None where TLS cannot be had.
pub(super) fn agent(config: Config, certificate: Fingerprint) -> Option<Agent> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Pin { certificate, algorithms: provider.signature_verification_algorithms };
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let tls = tls.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    let connector =
        ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default()).chain(PinnedConnector(Arc::new(tls)));
    Some(Agent::with_parts(config, connector, DefaultResolver::default()))
}

/// What is wrong with a certificate, where that is why a request failed.
pub(super) fn certificate_fault(error: &ureq::Error) -> Option<TransportError> {
    let tls = if let ureq::Error::Rustls(error) = error {
        error
    } else if let ureq::Error::Io(error) = error {
        tls_error(error)?
    } else {
        return None;
    };
    let TlsError::InvalidCertificate(fault) = tls else { return None };
    // What `Pin` says, and nobody else.
    let is_another = *fault == CertificateError::ApplicationVerificationFailure;
    Some(if is_another { TransportError::CertificateOther } else { TransportError::CertificateUntrusted })
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    let mut cause = error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        if let Some(found) = error.downcast_ref::<io::Error>().and_then(tls_error) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// One certificate, and no other.
#[derive(Debug)]
struct Pin {
    certificate: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if fingerprint(shown) == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// `ureq` takes no verifier, but it takes who connects.
#[derive(Debug)]
struct PinnedConnector(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for PinnedConnector {
    type Out = Either<In, PinnedTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(line) = chained else { return Ok(None) };
        if !details.needs_tls() || line.is_tls() {
            return Ok(Some(Either::A(line)));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| ureq::Error::BadUri("the server's name".to_owned()))?;
        let mut tls = ClientConnection::new(Arc::clone(&self.0), name)?;
        let mut line = TransportAdapter::new(line.boxed(), details.current_time.clone());
        line.set_timeout(details.timeout);
        tls.complete_io(&mut line)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(PinnedTransport { buffers, stream: StreamOwned::new(tls, line) })))
    }
}

struct PinnedTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for PinnedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedTransport").field("line", self.stream.sock.inner()).finish_non_exhaustive()
    }
}

impl Transport for PinnedTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
