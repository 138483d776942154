//! TLS, where the server offers it.

use crate::sql_error::error;
use queue_store_host::Result;
use queue_store_host::types::ErrorCode;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, crypto};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Prepares TLS, which trusts the certificates of a file, or those that the system trusts.
pub(crate) fn connector(root_certificates: Option<&Path>) -> Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    match root_certificates {
        Some(path) => {
            let refused = |cause: String| {
                let detail = format!("the root certificates in {}: {cause}", path.display());
                error(ErrorCode::InvalidArgument, detail)
            };
            let certificates = CertificateDer::pem_file_iter(path).map_err(|cause| refused(cause.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|cause| refused(cause.to_string()))?;
                roots.add(certificate).map_err(|cause| refused(cause.to_string()))?;
            }
            if roots.is_empty() {
                return Err(refused("there are none".to_string()));
            }
        }
        // Without one that it trusts, a server that asks for TLS is refused by name later.
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|cause| error(ErrorCode::Unsupported, format!("TLS: {cause}")))?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
}
