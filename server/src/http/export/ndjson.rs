//! JSON, one visit a line.

use super::{Format, unwritable};
use crate::{query::export::ExportedVisit, store::StoreError};

#[derive(Debug, Clone, Copy)]
pub(super) struct NdJson;

impl Format for NdJson {
    const CONTENT_TYPE: &'static str = "application/x-ndjson";
    const FILE_NAME: &'static str = "visits.ndjson";

    fn begin(&self) -> Result<Vec<u8>, StoreError> {
        Ok(Vec::new())
    }

    fn visit(&self, visit: &ExportedVisit, _: bool) -> Result<Vec<u8>, StoreError> {
        let mut bytes = serde_json::to_vec(visit).map_err(unwritable)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn end(&self) -> Vec<u8> {
        Vec::new()
    }
}
