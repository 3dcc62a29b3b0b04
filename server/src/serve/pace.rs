//! A body arrives at a pace, or is given up: without that, a byte every few seconds would hold a connection for days.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// Any body may take this.
const BEGINNING: Duration = Duration::from_secs(60);
/// And so much longer as it brings bytes: a third of what the slowest mobile network carries.
const BYTES_A_SECOND: u64 = 1024;

/// Wraps every route.
pub async fn pace(request: Request, next: Next) -> Response {
    next.run(request.map(|body| Body::new(Paced::new(body, BEGINNING)))).await
}

struct Paced<B> {
    body: B,
    deadline: Pin<Box<Sleep>>,
}

impl<B> Paced<B> {
    fn new(body: B, beginning: Duration) -> Self {
        Self { body, deadline: Box::pin(sleep_until(Instant::now() + beginning)) }
    }
}

impl<B> HttpBody for Paced<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err("the body comes too slowly".into())));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
        let later = self.deadline.deadline() + Duration::from_millis(bytes as u64 * 1000 / BYTES_A_SECOND);
        self.deadline.as_mut().reset(later);
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, stream};

    /// What comes of a body that brings so many bytes each tenth of a second, for two seconds.
    async fn arrives(bytes: usize) -> bool {
        let pieces = stream::iter(0..20).then(move |_| async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok::<_, std::io::Error>(Bytes::from(vec![0; bytes]))
        });
        let body = Paced::new(Body::from_stream(Box::pin(pieces)), Duration::from_secs(1));
        axum::body::to_bytes(Body::new(body), usize::MAX).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_drop_by_drop_is_given_up_and_a_slow_one_is_not() {
        assert!(!arrives(1).await);
        assert!(arrives(80).await);
    }
}
