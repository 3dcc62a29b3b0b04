use samod::{PeerId, Repo, ShareConfig, storage::TokioFilesystemStorage};
#[tokio::main]
async fn main() {
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    let dir = std::env::var("DATA_DIR").unwrap();
    std::fs::create_dir_all(&dir).unwrap();
    // like the JS sync server: serve what is asked for, announce nothing
    let repo = Repo::build_tokio()
        .with_storage(TokioFilesystemStorage::new(&dir))
        .with_peer_id(PeerId::from("storage-server-x"))
        .with_share_policy(ShareConfig::read_write().with_announce(false))
        .load()
        .await;
    let acc = repo.make_acceptor(format!("ws://127.0.0.1:{port}").parse().unwrap()).unwrap();
    let l = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    loop {
        let (s, _) = l.accept().await.unwrap();
        s.set_nodelay(true).ok();
        let acc = acc.clone();
        tokio::spawn(async move {
            if let Ok(ws) = tokio_tungstenite::accept_async(s).await {
                let _ = acc.accept_tungstenite(ws);
            }
        });
    }
}
