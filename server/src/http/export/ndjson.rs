//! JSON, one visit a line.

use super::{file::Format, unwritable};
use crate::{query::export::ExportedVisit, store::StoreError};

#[derive(Debug, Clone, Copy)]
pub(super) struct NdJson;

impl Format for NdJson {
    type Row = ExportedVisit;
    const CONTENT_TYPE: &'static str = "application/x-ndjson";
    const EXTENSION: &'static str = "ndjson";

    fn begin(&self) -> Result<Vec<u8>, StoreError> {
        Ok(Vec::new())
    }

    fn row(&self, visit: &ExportedVisit, _: bool, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
        serde_json::to_writer(&mut *bytes, visit).map_err(unwritable)?;
        bytes.push(b'\n');
        Ok(())
    }

    fn end(&self) -> Vec<u8> {
        Vec::new()
    }
}
