//! One address for all instances, as a load balancer has it: connections go to one that says that it is ready.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// How often each instance is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How long it has to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The load balancer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it is.
    pub address: SocketAddr,
    ready: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Entry {
    /// Before these instances, for as long as the suite runs.
    ///
    /// # Errors
    /// There is no port.
    pub async fn before(instances: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let ready = Arc::new(Mutex::new(Vec::new()));
        let entry = Self { address: listener.local_addr()?, ready: Arc::clone(&ready) };
        for instance in instances {
            let ready = Arc::clone(&ready);
            tokio::spawn(async move {
                loop {
                    let is_ready = matches!(timeout(PATIENCE, is_ready(instance)).await, Ok(Ok(true)));
                    note(&ready, instance, is_ready);
                    sleep(ASK_EVERY).await;
                }
            });
        }
        let balancer = entry.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(balancer.clone().pass(client));
            }
        });
        Ok(entry)
    }

    /// How many instances are ready.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.ready.lock().len()
    }

    /// Tries one after the other: who does not take the connection has done nothing yet.
    async fn pass(self, mut client: TcpStream) {
        let mut instances = self.ready.lock().clone();
        while !instances.is_empty() {
            let instance = instances.swap_remove(rand::random_range(0..instances.len()));
            if let Ok(Ok(mut server)) = timeout(PATIENCE, TcpStream::connect(instance)).await {
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let _ = copy_bidirectional(&mut client, &mut server).await;
                return;
            }
        }
    }
}

fn note(ready: &Mutex<Vec<SocketAddr>>, instance: SocketAddr, is_ready: bool) {
    let mut all = ready.lock();
    all.retain(|known| *known != instance);
    if is_ready {
        all.push(instance);
    }
}

async fn is_ready(instance: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(instance).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: chaos\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}
