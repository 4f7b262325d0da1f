//! The client for those who are told what came of a run: Sentry and a Pushgateway.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

/// A client that trusts the public authorities, or those of a file and no others.
pub(crate) fn settings(root_certificates: Option<&Path>) -> Result<ConfigBuilder<AgentScope>> {
    let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()));
    let tls = match root_certificates {
        Some(file) => tls.root_certs(authorities(file)?),
        None => tls,
    };
    Ok(Agent::config_builder()
        .tls_config(tls.build())
        .http_status_as_error(false)
        // What is told, and the credentials, are for the address that was given.
        .max_redirects(0)
        .user_agent(concat!("project/", env!("CARGO_PKG_VERSION"))))
}

fn authorities(file: &Path) -> Result<RootCerts> {
    let unusable = || format!("SSL_CERT_FILE={} cannot be used", file.display());
    let certificates = CertificateDer::pem_file_iter(file).with_context(unusable)?;
    let certificates = certificates.collect::<Result<Vec<_>, _>>().with_context(unusable)?;
    ensure!(!certificates.is_empty(), "{}: it holds no certificate", unusable());
    let owned = |certificate: CertificateDer<'_>| Certificate::from_der(&certificate).to_owned();
    Ok(RootCerts::from(certificates.into_iter().map(owned).collect::<Vec<_>>()))
}
