//! Authorities and certificates for the servers of a test, made by `openssl` on the spot: no key lies in the repository.

use std::fs::{read_to_string, write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Somebody who vouches for servers.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    name: String,
}

/// A server's certificate and its key, as PEM.
#[derive(Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// Makes one whose files lie in this folder and begin with this name.
    ///
    /// # Errors
    /// When `openssl` is missing or fails.
    pub fn create(folder: &Path, name: &str) -> Result<Self> {
        let authority = Self { folder: folder.to_owned(), name: name.to_owned() };
        let subject = format!("/CN=the authority {name}");
        let (key, certificate) = (authority.file("key"), authority.certificate());
        openssl(folder, &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"], &[&key])?;
        let request = ["req", "-x509", "-batch", "-days", "2", "-subj", &subject];
        let may_sign = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
        openssl(folder, &[&request[..], &may_sign, &["-out"]].concat(), &[&certificate, Path::new("-key"), &key])?;
        Ok(authority)
    }

    /// The file that a client is given to trust it.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.file("pem")
    }

    /// A certificate for a server: `DNS:localhost` or `IP:127.0.0.1`, valid for so many days from now on; a negative number
    /// gives one that has expired.
    ///
    /// # Errors
    /// When `openssl` fails.
    pub fn issue(&self, name: &str, days: i32) -> Result<Issued> {
        let (key, request, certificate) = (self.file("server.key"), self.file("csr"), self.file("server.pem"));
        let (extensions, days) = (self.file("extensions"), days.to_string());
        write(&extensions, format!("subjectAltName={name}\nbasicConstraints=CA:FALSE\n"))?;
        let folder = &self.folder;
        openssl(folder, &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"], &[&key])?;
        openssl(
            folder,
            &["req", "-new", "-batch", "-subj", "/CN=a server", "-key"],
            &[&key, Path::new("-out"), &request],
        )?;
        let sign = ["x509", "-req", "-CAcreateserial", "-days", &days, "-in"];
        let with = [
            (Path::new("-CA"), self.certificate()),
            (Path::new("-CAkey"), self.file("key")),
            (Path::new("-extfile"), extensions),
            (Path::new("-out"), certificate.clone()),
        ];
        let with: Vec<&Path> = [request.as_path()]
            .into_iter()
            .chain(with.iter().flat_map(|(flag, file)| [*flag, file.as_path()]))
            .collect();
        openssl(folder, &sign, &with)?;
        Ok(Issued { certificate: read_to_string(certificate)?, key: read_to_string(key)? })
    }

    fn file(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}.{what}", self.name))
    }
}

/// Runs it with arguments and, after them, names of files.
fn openssl(folder: &Path, arguments: &[&str], files: &[&Path]) -> Result<()> {
    let mut command = Command::new("openssl");
    // Its configuration may not decide what the tests see.
    command.current_dir(folder).env("OPENSSL_CONF", "/dev/null").args(arguments).args(files);
    let output = command.output().context("cannot run openssl, which Postgres' package brings along")?;
    ensure!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
