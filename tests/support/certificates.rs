//! A certificate authority of our own, and certificates good and bad.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    None,
    SelfSigned,
    WrongName,
    Expired,
}

/// Files of one server certificate for `localhost`.
#[derive(Debug)]
pub struct Certificate {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    pub fn new(folder: &Path, flaw: Flaw) -> Certificate {
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "maildesk test authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let name = if flaw == Flaw::WrongName { "elsewhere.example" } else { "localhost" };
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if flaw == Flaw::Expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = match flaw {
            Flaw::SelfSigned => params.self_signed(&key).unwrap(),
            _ => params.signed_by(&key, &authority).unwrap(),
        };
        let write = |file: &str, text: String| {
            let path = folder.join(file);
            fs::write(&path, text).unwrap();
            path
        };
        Certificate {
            ca: write("ca.pem", authority.pem()),
            certificate: write("cert.pem", certificate.pem()),
            key: write("key.pem", key.serialize_pem()),
        }
    }
}
