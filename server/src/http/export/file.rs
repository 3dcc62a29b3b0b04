//! A list on its way into a file: read batch by batch, each a keyset page of its own.

use std::{io, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_util::{Stream, StreamExt as _, stream};
use rusqlite::Connection;

use aralau_sync_core::vocabulary::Language;

use super::{
    csv::{Csv, CsvStyle},
    table::{Reader, SheetOf},
    xlsx,
};
use crate::{
    app::App, auth::Caller, authorize::Action, http::problem::Problem, query::period::NoPeriod, reach::Reach,
    store::StoreError,
};

/// A list, from whose rows a file is made.
pub(super) trait List: Clone + Send + Sync + 'static {
    type Row: 'static;
    /// Where the rest begins.
    type Key: Send + 'static;
    /// What its file is called.
    const NAME: &'static str;
    /// How it reads as tables; the first is the one of a file that holds one.
    fn sheets(&self) -> Vec<&'static dyn SheetOf<Self::Row>>;
    /// Whether it is known beforehand to have more rows than `most`; that of a list which is short anyway is not asked for.
    fn exceeds(&self, _: &Connection, _most: u32) -> Result<bool, StoreError> {
        Ok(false)
    }
    fn batch(
        &self,
        connection: &Connection,
        after: Option<Self::Key>,
    ) -> Result<Result<Batch<Self>, NoPeriod>, StoreError>;
}

/// Some rows, and where the rest begins; `None` at the end.
pub(super) type Batch<L> = (Vec<<L as List>::Row>, Option<<L as List>::Key>);

/// How a file is written.
pub(super) trait Format: Send + Sync + 'static {
    type Row;
    const CONTENT_TYPE: &'static str;
    const EXTENSION: &'static str;
    /// What stands before the first row.
    fn begin(&self) -> Result<Vec<u8>, StoreError>;
    /// Adds one row. `first`: nothing but [`Self::begin`] stands before it.
    fn row(&self, row: &Self::Row, first: bool, bytes: &mut Vec<u8>) -> Result<(), StoreError>;
    /// What stands after the last row.
    fn end(&self) -> Vec<u8>;
}

/// A list, and for whom.
pub(super) struct Listing<L> {
    pub list: L,
    pub reader: Reader,
}

/// A list that has a page of its own.
pub(super) trait Shown: List {
    /// What its page is asked with.
    type Filter;
    /// What whoever reads the page has to be allowed.
    const READ: Action;
    fn within(reach: Reach, filter: Self::Filter, app: &App) -> Self;
}

impl<L: Shown> Listing<L> {
    /// What a caller may export who may read the page: within their reach.
    pub(super) async fn of(
        app: &App,
        caller: &Caller,
        filter: L::Filter,
        language: Option<Language>,
    ) -> Result<Self, Problem> {
        caller.may(Action::Export)?;
        let reach = caller.may(L::READ)?;
        let list = L::within(reach.clone(), filter, app);
        let reader = app.read(move |connection| Reader::of(connection, &reach, language)).await?;
        Ok(Self { list, reader })
    }
}

impl<L: List> Listing<L> {
    /// Its first table as CSV.
    pub(super) async fn csv(self, app: App, style: CsvStyle) -> Result<Response, Problem> {
        let [sheet, ..] = self.list.sheets()[..] else {
            return Err(StoreError::Internal("a list without a table".into()).into());
        };
        stream(app, Csv { sheet, reader: self.reader, style }, self.list).await
    }

    /// All its tables as a workbook. The answer begins once the whole file is made.
    pub(super) async fn xlsx(self, app: App) -> Result<Response, Problem> {
        let (file, bytes) = xlsx::make(&app, self).await?;
        let mut response = attached(xlsx::CONTENT_TYPE, &format!("{}.xlsx", L::NAME), xlsx::pieces(file));
        response.headers_mut().insert(header::CONTENT_LENGTH, bytes.into());
        Ok(response)
    }
}

/// A file that is sent as it is made.
pub(super) async fn stream<L: List, F: Format<Row = L::Row>>(
    app: App,
    format: F,
    list: L,
) -> Result<Response, Problem> {
    let format = Arc::new(format);
    // The first piece is read before the answer begins, so that a failure there is still a problem and not a torn file.
    let (first, rest) = piece(&app, &format, &list, None).await?;
    let next = Next { app, format, list, rest, ready: Some(first) };
    let pieces = stream::unfold(next, move |mut next| async move {
        let bytes = match (next.ready.take(), next.rest.take()) {
            (Some(ready), rest) => {
                next.rest = rest;
                Ok(ready)
            }
            (None, Some(after)) => match piece(&next.app, &next.format, &next.list, Some(after)).await {
                Ok((bytes, rest)) => {
                    next.rest = rest;
                    Ok(bytes)
                }
                Err(error) => {
                    tracing::error!(%error, "an export broke off");
                    Err(io::Error::other("the export broke off"))
                }
            },
            (None, None) => return None,
        };
        Some((bytes, next))
    });
    Ok(attached(F::CONTENT_TYPE, &format!("{}.{}", L::NAME, F::EXTENSION), pieces))
}

/// A file to be saved, not shown.
fn attached(
    content_type: &str,
    name: &str,
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response {
    // What compresses it asks again after its end.
    let body = Body::from_stream(pieces.fuse());
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, content_type), (header::CONTENT_DISPOSITION, disposition.as_str())];
    (headers, body).into_response()
}

/// Where a file stands.
struct Next<L: List, F> {
    app: App,
    format: Arc<F>,
    list: L,
    rest: Option<L::Key>,
    ready: Option<Bytes>,
}

/// Reads and writes one batch; the second part says where the rest begins.
async fn piece<L: List, F: Format<Row = L::Row>>(
    app: &App,
    format: &Arc<F>,
    list: &L,
    after: Option<L::Key>,
) -> Result<(Bytes, Option<L::Key>), Problem> {
    let (list, format) = (list.clone(), Arc::clone(format));
    let piece = app.read(move |connection| {
        let mut first = after.is_none();
        let (rows, rest) = match list.batch(connection, after)? {
            Ok(batch) => batch,
            Err(no_period) => return Ok(Err(no_period)),
        };
        let mut bytes = if first { format.begin()? } else { Vec::new() };
        for row in &rows {
            format.row(row, first, &mut bytes)?;
            first = false;
        }
        if rest.is_none() {
            bytes.extend(format.end());
        }
        Ok(Ok((Bytes::from(bytes), rest)))
    });
    Ok(piece.await??)
}
