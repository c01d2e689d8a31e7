//! A TCP proxy that breaks connections the way networks do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Stands before one port.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub port: u16,
    /// Bytes from the server that still pass on each new connection before it is cut; `usize::MAX`: all.
    cut_after: Arc<AtomicUsize>,
    /// Nothing passes any more, and nobody is told (half-open).
    frozen: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    /// Rung to end every open connection.
    cut: Arc<Notify>,
}

impl Proxy {
    pub async fn to(target: u16) -> Proxy {
        Proxy::at(0, target).await
    }

    /// On this port; 0 is any.
    pub async fn at(port: u16, target: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            cut_after: Arc::new(AtomicUsize::new(usize::MAX)),
            frozen: Arc::default(),
            connections: Arc::default(),
            cut: Arc::default(),
        };
        let shared = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(shared.clone().forward(client, target));
            }
        });
        proxy
    }

    pub fn cut_after(&self, bytes: usize) {
        self.cut_after.store(bytes, Ordering::Relaxed);
    }

    /// Ends every open connection.
    pub fn cut_all(&self) {
        self.cut.notify_waiters();
    }

    pub fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Relaxed);
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    async fn forward(self, mut client: TcpStream, target: u16) {
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
        let mut left = self.cut_after.load(Ordering::Relaxed);
        let (mut up, mut down) = ([0; 4096], [0; 4096]);
        loop {
            tokio::select! {
                () = self.cut.notified() => return,
                read = client.read(&mut up) => {
                    let Ok(bytes @ 1..) = read else { return };
                    if !self.frozen.load(Ordering::Relaxed) && server.write_all(&up[..bytes]).await.is_err() {
                        return;
                    }
                }
                read = server.read(&mut down) => {
                    let Ok(bytes @ 1..) = read else { return };
                    if self.frozen.load(Ordering::Relaxed) {
                        continue;
                    }
                    let passing = bytes.min(left);
                    left -= passing;
                    if client.write_all(&down[..passing]).await.is_err() || left == 0 {
                        return;
                    }
                }
            }
        }
    }
}
