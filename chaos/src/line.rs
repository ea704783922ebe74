//! A line between two parts that can be cut, slowed and left hanging: a proxy of TCP, as Toxiproxy is one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weather {
    /// Nothing: what goes in comes out.
    #[default]
    Clear,
    /// Each part of what goes through takes so much longer, give or take half of it, and a twentieth takes ten times as
    /// long: what a lossy network makes of TCP.
    Slow(Duration),
    /// Nothing comes through, and nobody is told: a cable is out.
    Silent,
    /// Connections end, and new ones are refused.
    Cut,
}

/// A line to an address.
#[derive(Debug, Clone)]
pub struct Line {
    /// Where it is entered.
    pub address: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
}

impl Line {
    /// A line to this address, in clear weather, for as long as the suite runs.
    ///
    /// # Errors
    /// There is no port.
    pub async fn to(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let weather = Arc::new(watch::Sender::new(Weather::default()));
        let line = Self { address, weather: Arc::clone(&weather) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let weather = weather.subscribe();
                tokio::spawn(carry(client, target, weather));
            }
        });
        Ok(line)
    }

    /// From now on this happens on it.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn carry(client: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    if *weather.borrow() == Weather::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let there = pass(from_client, to_server, weather.clone());
    let back = pass(from_server, to_client, weather.clone());
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = weather.wait_for(|weather| *weather == Weather::Cut) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let now = *weather.borrow_and_update();
        match now {
            Weather::Clear | Weather::Cut => {}
            Weather::Slow(usual) => {
                let rare = if rand::random_ratio(1, 20) { 10.0 } else { 1.0 };
                tokio::time::sleep(usual.mul_f64(rare * rand::random_range(0.5..1.5))).await;
            }
            // What was read is lost: TCP would send it again, and behind this the connection is as good as dead.
            Weather::Silent => {
                let _ = weather.wait_for(|weather| *weather != Weather::Silent).await;
                return;
            }
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
