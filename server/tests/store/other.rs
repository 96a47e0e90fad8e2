//! Another S3 server than ours: moto, which `make test` installs where it may.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::{BucketVersioningStatus, VersioningConfiguration},
};
use server::storage::StorageConfig;

pub const BUCKET: &str = "papers";

/// Ends with the test.
pub struct Other {
    child: Child,
    pub address: SocketAddr,
}

impl Other {
    /// None, and said, where it is not installed; where everything is tested that is a failure.
    pub async fn start() -> Option<Self> {
        let cache = std::env::var_os("QUORATE_CACHE").map(PathBuf::from);
        let python = cache.map(|cache| cache.join("store/python"));
        let Some(python) = python.filter(|python| python.join("moto").exists()) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "the other store is not installed"
            );
            eprintln!("moto is not installed: the store is tried with our own alone");
            return None;
        };
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = Command::new("python3")
            .args([
                "-m",
                "moto.server",
                "-H",
                "127.0.0.1",
                "-p",
                &address.port().to_string(),
            ])
            .env("PYTHONPATH", python)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "moto does not start"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(Self { child, address })
    }

    /// A client of it, reached through this address.
    pub fn config(address: SocketAddr) -> StorageConfig {
        StorageConfig {
            endpoint: format!("http://{address}"),
            region: "eu-west-2".to_owned(),
            bucket: BUCKET.to_owned(),
            access_key: "quorate".to_owned(),
            secret_key: "quiet otter".into(),
            kms_key: None,
            unversioned: false,
        }
    }

    /// What somebody does in the bucket who is not the service.
    pub fn client(&self) -> Client {
        Client::from_conf(
            aws_sdk_s3::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("eu-west-2"))
                .endpoint_url(format!("http://{}", self.address))
                .credentials_provider(Credentials::new(
                    "quorate",
                    "quiet otter",
                    None,
                    None,
                    "test",
                ))
                .force_path_style(true)
                .build(),
        )
    }

    /// Makes the bucket, keeping versions.
    pub async fn with_versions(&self) {
        let client = self.client();
        let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
            .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuWest2)
            .build();
        client
            .create_bucket()
            .bucket(BUCKET)
            .create_bucket_configuration(place)
            .send()
            .await
            .unwrap();
        self.with_versions_on().await;
    }

    /// The bucket keeps versions from now on.
    pub async fn with_versions_on(&self) {
        self.client()
            .put_bucket_versioning()
            .bucket(BUCKET)
            .versioning_configuration(
                VersioningConfiguration::builder()
                    .status(BucketVersioningStatus::Enabled)
                    .build(),
            )
            .send()
            .await
            .unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
