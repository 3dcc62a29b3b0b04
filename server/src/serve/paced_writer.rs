//! What a connection is sent has to be read at a pace, or the connection ends: without that, a reader who takes a byte a minute
//! would hold an answer for years.
//!
//! Only the time counts in which the system takes nothing more, because the other side does not read. Whoever keeps
//! up, or listens for events of which there are none, is never late.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// A reader may keep the server waiting for so long, and so much longer as it reads, but never for more.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a reader has to read: a third of what the slowest mobile network carries.
const BYTES_A_SECOND: u64 = 1024;

/// A connection, see the module.
pub struct PacedWriter<T> {
    inner: T,
    patience: Duration,
    waits: Option<Waits>,
}

struct Waits {
    since: Instant,
    until: Pin<Box<Sleep>>,
}

impl<T> PacedWriter<T> {
    /// Around a connection.
    pub fn new(inner: T) -> Self {
        Self { inner, patience: PATIENCE, waits: None }
    }

    fn wrote(&mut self, bytes: usize) {
        let Some(waits) = self.waits.take() else {
            // Taken at once: the reader has kept up.
            self.patience = PATIENCE;
            return;
        };
        let earned = Duration::from_millis(bytes as u64 * 1000 / BYTES_A_SECOND);
        self.patience = PATIENCE.min(self.patience.saturating_sub(waits.since.elapsed()) + earned);
    }

    fn judge(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.wrote(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let since = Instant::now();
                let until = since + self.patience;
                let waits = self.waits.get_or_insert_with(|| Waits { since, until: Box::pin(sleep_until(until)) });
                let is_late = waits.until.as_mut().poll(cx).is_ready();
                if is_late { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for PacedWriter<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for PacedWriter<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const PIPE_BYTES: usize = 4096;

    /// Whether all of a long answer is written to a reader that takes so many bytes a second.
    async fn is_read(bytes_a_second: usize, answer_bytes: usize) -> bool {
        let (near, mut far) = tokio::io::duplex(PIPE_BYTES);
        let reading = tokio::spawn(async move {
            let mut piece = vec![0; bytes_a_second];
            while far.read_exact(&mut piece).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let mut line = PacedWriter::new(near);
        let is_read = line.write_all(&vec![7; answer_bytes]).await.is_ok();
        drop(line);
        reading.await.unwrap();
        is_read
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_served_and_who_reads_drop_by_drop_is_not() {
        assert!(is_read(2048, 1 << 20).await);
        assert!(!is_read(1, 1 << 16).await);
        assert!(!is_read(512, 1 << 20).await);
        assert!(is_read(512, PIPE_BYTES).await, "nobody waited for it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_to_whom_nothing_is_said_is_never_late() {
        let (near, mut far) = tokio::io::duplex(PIPE_BYTES);
        let mut line = PacedWriter::new(near);
        for _ in 0..3 {
            line.write_all(&[7; PIPE_BYTES]).await.unwrap();
            tokio::time::sleep(PATIENCE * 10).await;
            far.read_exact(&mut [0; PIPE_BYTES]).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_given_up_within_a_minute_or_so() {
        let (near, _far) = tokio::io::duplex(PIPE_BYTES);
        let began = Instant::now();
        let refused = PacedWriter::new(near).write_all(&[7; PIPE_BYTES * 2]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() < PATIENCE * 2);
    }
}
