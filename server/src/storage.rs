//! Where documents lie: any S3, or by default one inside this process, on a folder and reachable from this machine only.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::put_object::PutObjectError,
    primitives::ByteStream,
    types::{
        BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, CreateBucketConfiguration,
        ServerSideEncryption,
    },
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    net::TcpListener,
    sync::Mutex,
    task::JoinHandle,
    time::{Duration, timeout},
};

use crate::staging;

/// What the embedded store calls itself.
const EMBEDDED_REGION: &str = "eu-west-2";
/// The bucket of the embedded store.
const EMBEDDED_BUCKET: &str = "quorate";
/// The probe objects' folder; no document's key begins so.
const PROBE: &str = "probe/";
/// Where documents lie.
const DOCUMENTS: &str = "t/";
/// How long a file may take on its way to the store before it is sent anew: so long, and a second for so many bytes.
const PUT_WAIT: Duration = Duration::from_secs(20);
const PUT_PACE: u64 = 512 * 1024;
/// How long a start waits for a store.
const START_WAIT: Duration = Duration::from_secs(15);
/// The embedded store's only probe. It keeps two small files of a key for ever, so the key must not be new each time.
const EMBEDDED_PROBE: &str = "probe/embedded";

/// The S3 of the installation.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// Address of the service, as `https://s3.eu-west-2.amazonaws.com`.
    pub endpoint: String,
    /// Its region; `eu-west-2` is London.
    pub region: String,
    /// The bucket, which is made when it is not there.
    pub bucket: String,
    /// Who we are to it.
    pub access_key: String,
    /// Proof of it.
    pub secret_key: SecretString,
    /// The key of the service's KMS that it encrypts with; without one it uses a key of its own.
    pub kms_key: Option<String>,
    /// Whether a bucket that keeps no versions will do.
    pub unversioned: bool,
}

/// What [`Storage::check`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether the bucket keeps earlier versions of an object, so that it can be had back when somebody else overwrites or deletes
    /// it.
    pub versioning: bool,
}

impl StorageError {
    /// Whether the store answers, and has no such object.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Step { code, .. } if code == "NoSuchKey" || code == "NoSuchVersion" || code == "HTTP 404")
    }
}

/// From where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// From its beginning.
    Start,
    /// After a key and a version of it.
    After(String, Option<String>),
    /// From where the service said.
    Token(String),
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The folder or the listener of the embedded store.
    #[error("the embedded store cannot start: {0}")]
    Start(#[from] std::io::Error),
    /// The folder cannot be served.
    #[error("the embedded store cannot serve its folder")]
    Folder,
    /// The service does not answer, or refuses: the step, and the service's own code where it gave one.
    #[error("the store fails to {step} ({code})")]
    Step {
        /// What was tried.
        step: &'static str,
        /// The service's code, as `AccessDenied`.
        code: String,
    },
    /// Nothing would bring back what somebody else overwrites or deletes.
    #[error(
        "the store’s bucket keeps no versions; turn versioning on, or set QUORATE_S3_UNVERSIONED=accept"
    )]
    Unversioned,
    /// It takes an object and then does not keep what we rely on.
    #[error("the store cannot be relied on: {0}")]
    Unreliable(&'static str),
}

/// The store. Cheap to clone; the embedded server ends with [`Storage::stop`].
#[derive(Clone, Debug)]
pub struct Storage {
    client: Client,
    bucket: String,
    region: String,
    kms_key: Option<String>,
    /// Without versions nothing brings back what somebody else overwrote or deleted.
    wants_versions: bool,
    /// This process's probe key, drawn at the first check. Held while a check is under way.
    probe: Arc<Mutex<Option<String>>>,
    server: Option<Arc<Embedded>>,
}

/// The accepting task of the embedded store; ends when the last [`Storage`] goes.
#[derive(Debug)]
struct Embedded {
    accepts: JoinHandle<()>,
    address: SocketAddr,
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

impl Storage {
    /// A client of an S3 service. Nothing is sent yet.
    pub fn connect(config: &StorageConfig) -> Self {
        let credentials = Credentials::new(
            &config.access_key,
            config.secret_key.expose_secret(),
            None,
            None,
            "configuration",
        );
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_mins(1))
            .build();
        let settings = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config.region.clone()))
            .endpoint_url(&config.endpoint)
            .credentials_provider(credentials)
            .timeout_config(timeouts)
            // One host name and one certificate, whatever the bucket is called.
            .force_path_style(true)
            .build();
        Self {
            client: Client::from_conf(settings),
            bucket: config.bucket.clone(),
            region: config.region.clone(),
            kms_key: config.kms_key.clone(),
            wants_versions: !config.unversioned,
            probe: Arc::default(),
            server: None,
        }
    }

    /// Starts the S3 server of this process over `folder`, on a free port of 127.0.0.1, and connects to it. The caller
    /// draws the two keys anew for each start: they protect the port from other users of this machine.
    pub async fn start_embedded(
        folder: &Path,
        access_key: &str,
        secret_key: &SecretString,
    ) -> Result<Self, StorageError> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let files = FileSystem::new(folder).map_err(|error| {
            tracing::error!(?error, "the embedded store cannot serve its folder");
            StorageError::Folder
        })?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(
            access_key,
            secret_key.expose_secret(),
        ));
        let service = builder.build();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let endpoint = format!("http://{address}");
        let server = tokio::spawn(async move {
            let http = auto::Builder::new(TokioExecutor::new());
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let connection = http
                            .serve_connection(TokioIo::new(stream), service.clone())
                            .into_owned();
                        tokio::spawn(async move {
                            if let Err(error) = connection.await {
                                tracing::debug!(%error, "a connection to the embedded store broke");
                            }
                        });
                    }
                    // Out of file descriptors, most likely: it passes, and a loop without a rest would not let it.
                    Err(error) => {
                        tracing::warn!(%error, "the embedded store cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
        });
        let config = StorageConfig {
            endpoint,
            region: EMBEDDED_REGION.to_owned(),
            bucket: EMBEDDED_BUCKET.to_owned(),
            access_key: access_key.to_owned(),
            secret_key: secret_key.clone(),
            kms_key: None,
            unversioned: true,
        };
        let probe = Arc::new(Mutex::new(Some(EMBEDDED_PROBE.to_owned())));
        Ok(Self {
            probe,
            server: Some(Arc::new(Embedded {
                accepts: server,
                address,
            })),
            ..Self::connect(&config)
        })
    }

    /// Whether the store does what documents rely on: makes the bucket if there is none, then puts, reads and deletes
    /// an object with a SHA-256 checksum, and sees a second put to its key refused. For the start and for `/health`.
    pub async fn check(&self) -> Result<Health, StorageError> {
        let mut probe = self.probe.lock().await;
        self.make_bucket().await?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| StorageError::Unreliable("no random bytes"))?;
        let key =
            probe.get_or_insert_with(|| format!("{PROBE}{:032x}", u128::from_be_bytes(random)));
        // One that a killed process left behind would be taken for a second put.
        self.delete(key).await?;
        let probed = self.probe(key, &random).await;
        // Deleted even when the probe went wrong half-way.
        self.delete(key).await?;
        probed?;
        Ok(Health {
            versioning: self.versioning().await?,
        })
    }

    /// Puts a file under a key that nothing has, and returns the version that the store gave it, where its bucket keeps versions.
    /// On return the store has said itself that it holds these bytes.
    ///
    /// An answer that is lost on the way is asked after: the object is there, and is this one, or it is not.
    pub async fn put(
        &self,
        key: &str,
        file: &Path,
        size: u64,
        sha256: &[u8; 32],
    ) -> Result<Option<String>, StorageError> {
        let body = ByteStream::read_from()
            .path(file)
            .buffer_size(staging::PIECE)
            .build()
            .await
            .map_err(|error| StorageError::Start(std::io::Error::other(error)))?;
        let sum = base64(sha256);
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .if_none_match("*")
            .content_length(i64::try_from(size).unwrap_or(i64::MAX))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_sha256(&sum)
            .server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.kms_key.clone())
            .body(body)
            .customize()
            .config_override(
                aws_sdk_s3::Config::builder().timeout_config(
                    TimeoutConfig::builder()
                        .connect_timeout(Duration::from_secs(5))
                        .operation_attempt_timeout(PUT_WAIT + Duration::from_secs(size / PUT_PACE))
                        .build(),
                ),
            )
            .send()
            .await;
        match self.held(key, size, &sum).await {
            Ok(Some(version)) => Ok(version),
            Ok(None) => Err(match put {
                Err(error) => step("put an object", &error),
                Ok(_) => StorageError::Unreliable("an object that was put is not there"),
            }),
            Err(found) => Err(match put {
                Err(error) => step("put an object", &error),
                Ok(_) => found,
            }),
        }
    }

    /// Whether these bytes lie under the key, and as which version of the store's. Refuses other bytes there.
    async fn held(
        &self,
        key: &str,
        size: u64,
        sum: &str,
    ) -> Result<Option<Option<String>>, StorageError> {
        let head = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        let head = match head {
            Ok(head) => head,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => return Err(step("find an object", &error)),
        };
        let same = head
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
            == Some(size)
            && head.checksum_sha256() == Some(sum);
        if !same {
            return Err(StorageError::Unreliable("an object is not what was put"));
        }
        Ok(Some(head.version_id().map(str::to_owned)))
    }

    /// The bytes of an object from one place to another, both counted in, or all of them.
    pub async fn get(
        &self,
        key: &str,
        store_version: Option<&str>,
        range: Option<(u64, u64)>,
    ) -> Result<ByteStream, StorageError> {
        let got = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_version_id(store_version.map(str::to_owned))
            .set_range(range.map(|(from, to)| format!("bytes={from}-{to}")))
            .send()
            .await;
        got.map(|got| got.body)
            .map_err(|error| step("read an object", &error))
    }

    /// Removes an object with every version of it. That it is not there any more, or never was, is no fault.
    pub async fn remove(&self, key: &str) -> Result<(), StorageError> {
        // A bucket that keeps versions keeps this one too: what was in the bin for its time would be there for ever.
        let versions = self.versions(key).await?;
        if versions.is_empty() {
            return self.delete(key).await;
        }
        for version in versions {
            self.client
                .delete_object()
                .bucket(&self.bucket)
                .key(key)
                .version_id(version)
                .send()
                .await
                .map_err(|error| step("delete a version of an object", &error))?;
        }
        Ok(())
    }

    /// The versions of an object and before them the marks that it was deleted: what is left when the store goes away meanwhile
    /// is then still to be seen. None where the store keeps none.
    async fn versions(&self, key: &str) -> Result<Vec<String>, StorageError> {
        if self.server.is_some() {
            return Ok(vec![]);
        }
        let listed = self
            .client
            .list_object_versions()
            .bucket(&self.bucket)
            .prefix(key)
            .send()
            .await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) if matches!(status(&error), Some(501 | 405)) => return Ok(vec![]),
            Err(error) => return Err(step("list the versions of an object", &error)),
        };
        let objects = listed
            .versions()
            .iter()
            .map(|one| (one.key(), one.version_id()));
        let marks = listed
            .delete_markers()
            .iter()
            .map(|one| (one.key(), one.version_id()));
        Ok(marks
            .chain(objects)
            .filter(|(one, _)| *one == Some(key))
            .filter_map(|(_, version)| version.map(str::to_owned))
            .collect())
    }

    /// Tells the log of an object that somebody else has overwritten or deleted: it is read by its version, so that nobody who
    /// reads it would notice.
    pub async fn look_after(&self, key: &str, store_version: &str) -> Result<bool, StorageError> {
        let head = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        let why = match &head {
            Ok(head) if head.version_id() == Some(store_version) => return Ok(true),
            Ok(_) => "overwritten",
            Err(error) if status(error) == Some(404) => "deleted",
            Err(error) => return Err(step("find an object", error)),
        };
        tracing::error!(
            key,
            why,
            "an object was changed in the store behind our back; it is read by its version"
        );
        Ok(false)
    }

    /// Whether the service may start with this bucket. Refuses one that cannot be relied on, and one that keeps no versions, where it
    /// was not said that this will do. A store that does not answer is waited for, by [`Storage::check`].
    pub async fn fits(&self) -> Result<(), StorageError> {
        let Ok(checked) = timeout(START_WAIT, self.check()).await else {
            tracing::warn!("the store does not answer yet");
            return Ok(());
        };
        match checked {
            Ok(Health { versioning: false }) if self.wants_versions => {
                Err(StorageError::Unversioned)
            }
            Ok(_) => Ok(()),
            // It answers, and will do the same tomorrow.
            Err(error @ StorageError::Unreliable(_)) => Err(error),
            Err(error) => {
                tracing::warn!(%error, "the store cannot be used yet");
                Ok(())
            }
        }
    }

    /// The next keys of documents that have lain there since before the time, up to a thousand; and from where to go on. Also those
    /// of which only earlier versions are left, under a mark that they were deleted.
    pub async fn lying(
        &self,
        before: time::OffsetDateTime,
        from: Cursor,
    ) -> Result<(Vec<String>, Option<Cursor>), StorageError> {
        if self.server.is_some() {
            return self.lying_unversioned(before, from).await;
        }
        let (key, version) = match from {
            Cursor::Start => (None, None),
            Cursor::After(key, version) => (Some(key), version),
            Cursor::Token(_) => return self.lying_unversioned(before, from).await,
        };
        let listed = self
            .client
            .list_object_versions()
            .bucket(&self.bucket)
            .prefix(DOCUMENTS)
            .set_key_marker(key)
            .set_version_id_marker(version)
            .send()
            .await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) if matches!(status(&error), Some(501 | 405)) => {
                return self.lying_unversioned(before, Cursor::Start).await;
            }
            Err(error) => return Err(step("list the versions of its objects", &error)),
        };
        let objects = listed
            .versions()
            .iter()
            .map(|one| (one.key(), one.last_modified()));
        let marks = listed
            .delete_markers()
            .iter()
            .map(|one| (one.key(), one.last_modified()));
        let mut keys = lying_since(before, objects.chain(marks));
        keys.sort_unstable();
        keys.dedup();
        let next = listed.next_key_marker().map(|key| {
            Cursor::After(
                key.to_owned(),
                listed.next_version_id_marker().map(str::to_owned),
            )
        });
        Ok((keys, next))
    }

    async fn lying_unversioned(
        &self,
        before: time::OffsetDateTime,
        from: Cursor,
    ) -> Result<(Vec<String>, Option<Cursor>), StorageError> {
        let token = match from {
            Cursor::Token(token) => Some(token),
            Cursor::Start | Cursor::After(..) => None,
        };
        let listed = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(DOCUMENTS)
            .set_continuation_token(token)
            .send()
            .await
            .map_err(|error| step("list its objects", &error))?;
        let objects = listed
            .contents()
            .iter()
            .map(|one| (one.key(), one.last_modified()));
        let next = listed
            .next_continuation_token()
            .map(|token| Cursor::Token(token.to_owned()));
        Ok((lying_since(before, objects), next))
    }

    /// Where the embedded server listens; none for another service.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|server| server.address)
    }

    /// Ends the embedded server; for another service nothing is to be done.
    pub fn stop(&self) {
        if let Some(server) = &self.server {
            server.accepts.abort();
        }
    }

    async fn make_bucket(&self) -> Result<(), StorageError> {
        match self.client.head_bucket().bucket(&self.bucket).send().await {
            Ok(_) => return Ok(()),
            Err(error) if status(&error) != Some(404) => {
                return Err(step("find its bucket", &error));
            }
            Err(_) => {}
        }
        // S3 makes a bucket where it is asked to, and in us-east-1 where it is not asked, by an address of another region not at all.
        let place = (self.region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(self.region.as_str().into())
                .build()
        });
        match self
            .client
            .create_bucket()
            .bucket(&self.bucket)
            .set_create_bucket_configuration(place)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            // Another node was quicker.
            Err(error)
                if matches!(
                    error.code(),
                    Some("BucketAlreadyOwnedByYou" | "BucketAlreadyExists")
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(step("make its bucket", &error)),
        }
    }

    async fn probe(&self, key: &str, body: &[u8]) -> Result<(), StorageError> {
        self.put_probe(key, body)
            .await
            .map_err(|error| step("put an object", &error))?;
        match self.put_probe(key, b"another").await {
            Ok(()) => {
                return Err(StorageError::Unreliable(
                    "a second put to the same key is taken",
                ));
            }
            Err(error) if status(&error) == Some(412) => {}
            Err(error) => return Err(step("refuse a second put", &error)),
        }
        let head = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(|error| step("find an object", &error))?;
        if head.checksum_sha256().is_none() {
            return Err(StorageError::Unreliable("no SHA-256 checksum is kept"));
        }
        let got = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(|error| step("read an object", &error))?;
        let bytes = got
            .body
            .collect()
            .await
            .map_err(|_| StorageError::Unreliable("an object breaks off or is changed"))?;
        if bytes.into_bytes() == body {
            Ok(())
        } else {
            Err(StorageError::Unreliable("an object is not what was put"))
        }
    }

    /// Asked for with every object, whatever the bucket does by itself. The embedded store knows nothing of it: its folder is as
    /// safe as the disk is.
    fn encryption(&self) -> ServerSideEncryption {
        match self.kms_key {
            Some(_) => ServerSideEncryption::AwsKms,
            None => ServerSideEncryption::Aes256,
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let deleted = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        deleted
            .map(|_| ())
            .map_err(|error| step("delete an object", &error))
    }

    async fn put_probe(&self, key: &str, body: &[u8]) -> Result<(), SdkError<PutObjectError>> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .if_none_match("*")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.kms_key.clone())
            .body(ByteStream::from(body.to_vec()))
            .send()
            .await
            .map(|_| ())
    }

    async fn versioning(&self) -> Result<bool, StorageError> {
        match self
            .client
            .get_bucket_versioning()
            .bucket(&self.bucket)
            .send()
            .await
        {
            Ok(answer) => Ok(answer.status() == Some(&BucketVersioningStatus::Enabled)),
            // A service that does not know the question does not keep versions.
            Err(error) if matches!(status(&error), Some(501 | 405)) => Ok(false),
            Err(error) => Err(step("say whether it keeps versions", &error)),
        }
    }
}

fn lying_since<'a>(
    before: time::OffsetDateTime,
    found: impl Iterator<
        Item = (
            Option<&'a str>,
            Option<&'a aws_sdk_s3::primitives::DateTime>,
        ),
    >,
) -> Vec<String> {
    found
        .filter(|(_, at)| at.is_some_and(|at| at.secs() < before.unix_timestamp()))
        .filter_map(|(key, _)| key.map(str::to_owned))
        .collect()
}

/// As S3 writes checksums.
fn base64(sum: &[u8; 32]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sum)
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error
        .raw_response()
        .map(|response| response.status().as_u16())
}

/// Only the service's own code is kept: its sentences may quote keys.
fn step<E: ProvideErrorMetadata>(step: &'static str, error: &SdkError<E>) -> StorageError {
    let code = match (error.code(), status(error)) {
        (Some(code), _) => code.to_owned(),
        (None, Some(status)) => format!("HTTP {status}"),
        (None, None) => "no answer".to_owned(),
    };
    StorageError::Step { step, code }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn embedded(folder: &Path) -> Storage {
        Storage::start_embedded(folder, "quorate", &SecretString::from("quiet otter"))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn the_embedded_store_does_what_documents_rely_on_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let storage = embedded(&folder.path().join("s3")).await;
        let files = || std::fs::read_dir(folder.path().join("s3")).unwrap().count();
        assert_eq!(storage.check().await.unwrap(), Health { versioning: false });
        let after_one = files();
        let (one, other) = tokio::join!(storage.check(), storage.check());
        assert_eq!(
            (one.unwrap(), other.unwrap()),
            (Health { versioning: false }, Health { versioning: false })
        );
        let left = storage
            .client
            .list_objects_v2()
            .bucket("quorate")
            .send()
            .await
            .unwrap();
        assert_eq!(left.key_count(), Some(0));
        assert_eq!(
            files(),
            after_one,
            "a health check each second fills no disk"
        );
        storage
            .put_probe(EMBEDDED_PROBE, b"left by a killed process")
            .await
            .unwrap();
        assert!(storage.check().await.is_ok());
    }

    #[tokio::test]
    async fn a_second_put_of_a_key_is_refused_and_the_first_stays() {
        let folder = tempfile::tempdir().unwrap();
        let storage = embedded(folder.path()).await;
        storage.check().await.unwrap();
        storage.put_probe("t/1/d/2/v/3", b"first").await.unwrap();
        let second = storage
            .put_probe("t/1/d/2/v/3", b"second")
            .await
            .unwrap_err();
        assert_eq!(
            (second.code(), status(&second)),
            (Some("PreconditionFailed"), Some(412))
        );
        let got = storage
            .client
            .get_object()
            .bucket("quorate")
            .key("t/1/d/2/v/3")
            .send()
            .await
            .unwrap();
        assert_eq!(
            got.body.collect().await.unwrap().into_bytes().as_ref(),
            b"first"
        );
    }

    #[tokio::test]
    async fn an_object_whose_checksum_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let storage = embedded(folder.path()).await;
        storage.check().await.unwrap();
        let put = storage
            .client
            .put_object()
            .bucket("quorate")
            .key("bad")
            .body(ByteStream::from_static(b"paper"));
        let wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert!(put.checksum_sha256(wrong).send().await.is_err());
        assert!(
            storage
                .client
                .head_object()
                .bucket("quorate")
                .key("bad")
                .send()
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn without_the_keys_of_this_start_there_is_no_way_in() {
        let folder = tempfile::tempdir().unwrap();
        let storage = embedded(folder.path()).await;
        storage.check().await.unwrap();
        let endpoint = storage.client.config().clone();
        let intruder = Client::from_conf(
            endpoint
                .to_builder()
                .credentials_provider(Credentials::new("quorate", "wrong", None, None, "test"))
                .build(),
        );
        let refused = intruder
            .head_bucket()
            .bucket("quorate")
            .send()
            .await
            .unwrap_err();
        assert_eq!(status(&refused), Some(403));
    }

    #[tokio::test]
    async fn what_was_put_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let first = embedded(folder.path()).await;
        first.check().await.unwrap();
        first.put_probe("kept", b"minutes").await.unwrap();
        first.stop();
        drop(first);
        let second = embedded(folder.path()).await;
        let got = second
            .client
            .get_object()
            .bucket("quorate")
            .key("kept")
            .send()
            .await
            .unwrap();
        assert_eq!(
            got.body.collect().await.unwrap().into_bytes().as_ref(),
            b"minutes"
        );
    }

    #[tokio::test]
    async fn a_store_that_is_not_there_is_told_in_a_sentence() {
        let config = StorageConfig {
            endpoint: "http://127.0.0.1:9".into(),
            region: EMBEDDED_REGION.into(),
            bucket: "quorate".into(),
            access_key: "a".into(),
            secret_key: SecretString::from("b"),
            kms_key: None,
            unversioned: false,
        };
        let error = Storage::connect(&config).check().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the store fails to find its bucket (no answer)"
        );
    }
}
