//! NATS, which `make test` installs where it may: started, killed and started again at the same place.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A place for a server, and the server while it runs. Ends with the test.
pub struct Nats {
    program: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl Nats {
    /// A place where none runs yet. None, and said, where it is not installed; where everything is tested that is a failure.
    pub fn at_rest() -> Option<Self> {
        let cache = std::env::var_os("QUORATE_CACHE").map(PathBuf::from);
        let program = cache.map(|cache| cache.join("bus/nats-server"));
        let Some(program) = program.filter(|program| program.exists()) else {
            assert!(std::env::var_os("CI").is_none(), "the bus is not installed");
            eprintln!("NATS is not installed: no two processes are tried over it");
            return None;
        };
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        Some(Self {
            program,
            address,
            child: None,
        })
    }

    /// As `QUORATE_BUS` has it.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Starts it, and returns once it takes connections.
    pub async fn start(&mut self) {
        let port = self.address.port().to_string();
        let child = Command::new(&self.program)
            .args(["-a", "127.0.0.1", "-p", &port])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "NATS does not start"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its death without a word.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
