//! The store that papers end in, reached directly: by an address that was signed beforehand, as a browser would be given one.

use std::{
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
        SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use reqwest::Method;

use super::{added_up, paper::Paper};
use crate::{
    child::{Asked, Child},
    clock,
    fault::{Result, io, said},
    peer::store::{ACCESS_KEY, FOLDER, SECRET_KEY},
    workload::Bench,
};

const REGION: &str = "eu-west-2";
const BUCKET: &str = "quorate";
/// Where what came directly lies; no document's key begins so.
const DIRECT: &str = "direct";

/// The store, in a process of its own on the server's core.
pub struct Store {
    child: Child,
    origin: String,
    folder: PathBuf,
    client: reqwest::Client,
}

impl Store {
    /// Starts it. Its bucket is made by the first server that uses it.
    pub fn start(bench: &Bench, client: &reqwest::Client) -> Result<Self> {
        let itself = std::env::current_exe().map_err(io("the harness's own path"))?;
        let asked = Asked::new(&itself, &["serve", "store"]);
        let folder = bench.folder().join("store");
        std::fs::create_dir_all(&folder).map_err(io("the scratch folder"))?;
        let mut child = Child::start(&folder, "store", bench.cores.server, &asked)?;
        let told = child.told("ready ", Duration::from_secs(20))?;
        let port = told.split_whitespace().next().unwrap_or_default();
        Ok(Self {
            child,
            origin: format!("http://127.0.0.1:{port}"),
            folder: folder.join(FOLDER).join(BUCKET),
            client: client.clone(),
        })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What a server is told of it.
    pub fn settings(&self) -> [(&'static str, String); 6] {
        [
            ("QUORATE_S3_ENDPOINT", self.origin.clone()),
            ("QUORATE_S3_REGION", REGION.to_owned()),
            ("QUORATE_S3_BUCKET", BUCKET.to_owned()),
            ("QUORATE_S3_ACCESS_KEY", ACCESS_KEY.to_owned()),
            ("QUORATE_S3_SECRET_KEY", SECRET_KEY.to_owned()),
            ("QUORATE_S3_UNVERSIONED", "accept".to_owned()),
        ]
    }

    /// Puts a paper there.
    pub async fn put(&self, number: usize, paper: &Paper) -> Result<()> {
        let asked = self.signed(Method::PUT, number)?;
        let answer = asked.body(paper.bytes.clone()).send().await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(said(format!(
            "The store answered a put with {status}: {}",
            answer.text().await?
        )))
    }

    /// What a paper there adds up to.
    pub async fn sum(&self, number: usize) -> Result<[u8; 32]> {
        added_up(self.signed(Method::GET, number)?.send().await?).await
    }

    /// Throws away what came directly, and every document.
    pub fn clear(&self) {
        super::clear(&self.folder.join(DIRECT));
        super::clear(&self.folder.join("t"));
    }

    /// A request with a signature in its address, good for a quarter of an hour.
    fn signed(&self, method: Method, number: usize) -> Result<reqwest::RequestBuilder> {
        let address = format!("{}/{BUCKET}/{DIRECT}/{number}", self.origin);
        let broken =
            |error: &dyn std::fmt::Display| said(format!("An address cannot be signed: {error}"));
        let identity = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "bench").into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(900));
        // As S3 alone has it.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("s3")
            .time(UNIX_EPOCH + Duration::from_micros(clock::now()))
            .settings(settings)
            .build()
            .map_err(|error| broken(&error))?
            .into();
        let request = SignableRequest::new(
            method.as_str(),
            &address,
            std::iter::empty(),
            SignableBody::UnsignedPayload,
        )
        .map_err(|error| broken(&error))?;
        let (instructions, _) = sign(request, &params)
            .map_err(|error| broken(&error))?
            .into_parts();
        let (_, query) = instructions.into_parts();
        Ok(self.client.request(method, address).query(&query))
    }
}
