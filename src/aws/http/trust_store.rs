use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::iam::Printable;

/// The certificate authorities that are trusted: those of the system, or of a bundle instead.
#[derive(Clone, Default)]
pub(in crate::aws) struct Trust {
    bundle: Option<Bundle>,
}

#[derive(Clone)]
struct Bundle {
    path: PathBuf,
    origin: String,
    /// The certificates, each one as PEM.
    certificates: Vec<Vec<u8>>,
}

/// A bundle of certificate authorities that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot use the CA bundle {path} of {origin}: {why}")]
pub(in crate::aws) struct UnusableBundle {
    /// The path.
    pub(in crate::aws) path: Printable,
    /// The variable or the setting that names it.
    pub(in crate::aws) origin: Printable,
    /// The reason.
    pub(in crate::aws) why: String,
}

const VARIABLE: &str = "AWS_CA_BUNDLE";
/// The maximum size of a bundle, in bytes. That of Mozilla has less than 1 MiB; `/dev/zero` has no end.
const MAX_BUNDLE: u64 = 64 << 20;

impl Trust {
    /// The bundle of `AWS_CA_BUNDLE`, then that of the profile's `ca_bundle`, then the system's authorities: the
    /// order of the AWS CLI
    /// ([settings](https://docs.aws.amazon.com/cli/latest/topic/config-vars.html#general-options)).
    ///
    /// # Errors
    /// If the bundle cannot be read, or contains no certificate.
    pub(in crate::aws) fn load(
        profile: &str,
        of_profile: Option<&str>,
    ) -> Result<Trust, UnusableBundle> {
        let variable = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
        let (path, origin) = match (variable, of_profile) {
            (Some(path), _) => (PathBuf::from(path), VARIABLE.to_owned()),
            (None, Some(path)) if !path.is_empty() => {
                (PathBuf::from(path), format!("ca_bundle in profile {profile:?}"))
            }
            _ => return Ok(Trust::default()),
        };
        match certificates(&path) {
            Ok(certificates) => Ok(Trust { bundle: Some(Bundle { path, origin, certificates }) }),
            Err(why) => {
                let path = Printable::path(&path);
                Err(UnusableBundle { path, origin: origin.into(), why })
            }
        }
    }

    pub(super) fn context(&self) -> TlsContext {
        let mut store = TrustStore::empty().with_native_roots(self.bundle.is_none());
        for certificate in self.bundle.iter().flat_map(|bundle| &bundle.certificates) {
            store.add_pem_certificate(certificate.as_slice());
        }
        TlsContext::builder().with_trust_store(store).build().expect("the build has no errors")
    }
}

/// The certificates of a PEM file that can be certificate authorities. The HTTP client panics on any other.
fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut bytes = Vec::new();
    let file = File::open(path).map(|file| file.take(MAX_BUNDLE + 1));
    file.and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "file not found".to_owned(),
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    })?;
    if bytes.len() as u64 > MAX_BUNDLE {
        return Err(format!("it is larger than {} MiB", MAX_BUNDLE >> 20));
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut usable = Vec::new();
    for block in text.split(BEGIN).skip(1) {
        let Some((body, _)) = block.split_once(END) else { continue };
        let pem = format!("{BEGIN}{body}{END}\n").into_bytes();
        let parsed = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let Ok(parsed) = parsed else { continue };
        let mut store = RootCertStore::empty();
        if !parsed.is_empty() && parsed.into_iter().all(|der| store.add(der).is_ok()) {
            usable.push(pem);
        }
    }
    if usable.is_empty() {
        return Err("it contains no certificate in PEM format".to_owned());
    }
    Ok(usable)
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bundle {
            Some(Bundle { path, origin, .. }) => {
                let path = Printable::path(path);
                write!(f, "trusted are only the certificates in {path} ({})", Printable::new(origin))
            }
            None => f.write_str(
                "trusted are the certificate authorities of this system; AWS_CA_BUNDLE and ca_bundle are \
                 not set",
            ),
        }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
