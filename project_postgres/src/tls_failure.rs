//! Why a server was not trusted, and what to do about it: drivers hide it behind a connection that broke.

use crate::connection_settings::ConnectionSettings;
use crate::source_error::{SourceError, SourceErrorKind};
use crate::sqlstates::Retry;
use rustls::CertificateError::{
    Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext, UnknownIssuer,
};
use std::error::Error;
use std::io;

/// The sentence for a driver's error below which TLS has failed, if it has.
pub(crate) fn below(settings: &ConnectionSettings, error: &(dyn Error + 'static)) -> Option<SourceError> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<rustls::Error>() {
            let message = format!("Postgres at {settings}: TLS failed: {cause}; {}", remedy(cause));
            return Some(SourceError::new(SourceErrorKind::Unreachable, message).with_retry(Retry::Never));
        }
        // Neither driver has a type for it; the words are theirs.
        if cause.to_string().contains("does not support TLS") {
            let message = format!("Postgres at {settings}: TLS failed: the server does not support TLS; {PLAIN_TEXT}");
            return Some(SourceError::new(SourceErrorKind::Unreachable, message).with_retry(Retry::Never));
        }
        // The error in an I/O error is not its source but it itself.
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source());
    }
    None
}

const PLAIN_TEXT: &str = "turn it on there (ssl = on), or use sslmode=disable on a network that you trust";

fn remedy(cause: &rustls::Error) -> &'static str {
    let rustls::Error::InvalidCertificate(why) = cause else {
        return "check that the server speaks TLS 1.2 or 1.3, or use sslmode=disable on a network that you trust";
    };
    match why {
        Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
            "renew the server's certificate, or set the clock of this machine"
        }
        NotValidForName | NotValidForNameContext { .. } => {
            "connect by a name that the server's certificate was made for"
        }
        UnknownIssuer => {
            "name the server's own authority with sslrootcert=<file> (RDS: Amazon's bundle), or use sslmode=disable on \
             a network that you trust"
        }
        _ => "check the server's certificate, and the authorities in sslrootcert=<file>",
    }
}
