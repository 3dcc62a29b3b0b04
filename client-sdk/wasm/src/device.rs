//! The device: its store, and everything that a screen asks of it.

use aralau_client_sdk::{
    Client, Error, Seams, VisitChange,
    store::{OpfsFolder, SqliteStore},
};
use aralau_sync_core::id::PublicKey;
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

use crate::{
    outside::seams,
    value::{Thrown, from_js, invalid, parse, to_js},
};

type Result<T> = std::result::Result<T, Thrown>;

#[wasm_bindgen]
extern "C" {
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "VisitForm")]
    pub type JsForm;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Draft[]")]
    pub type JsDrafts;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Visit[]")]
    pub type JsVisits;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Visit")]
    pub type JsVisit;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Stop[]")]
    pub type JsRound;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Outline[]")]
    pub type JsOutlines;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Change[]")]
    pub type JsHistory;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "Status")]
    pub type JsStatus;
    /// See `types.ts`.
    #[wasm_bindgen(typescript_type = "VisitChange[]")]
    pub type JsEdits;
}

/// A device over a folder of the browser's private file system.
#[wasm_bindgen]
pub struct Device {
    pub(crate) client: Client<SqliteStore>,
    /// Held as long as the device is.
    _folder: OpfsFolder,
}

#[wasm_bindgen]
impl Device {
    /// Takes hold of a folder and opens the device in it. `publicKey`: 33 bytes, the compressed point.
    pub async fn open(folder: String, public_key: Vec<u8>) -> Result<Device> {
        Self::over(&folder, &public_key, Client::over).await
    }

    /// Opens one whose own key is lost, under another: known to the server once it is enrolled again, with every word.
    pub async fn adopt(folder: String, public_key: Vec<u8>) -> Result<Device> {
        Self::over(&folder, &public_key, Client::adopt).await
    }

    /// How it stands.
    pub fn status(&self) -> Result<JsStatus> {
        Ok(to_js(&self.client.status()?)?.unchecked_into())
    }

    /// The places of this person's beats, by address, each with what is known of it.
    pub fn round(&self) -> Result<JsRound> {
        Ok(to_js(&self.client.round()?)?.unchecked_into())
    }

    /// The outlines of this person's beats, as far as the server has told any.
    pub fn outlines(&self) -> Result<JsOutlines> {
        Ok(to_js(&self.client.outlines()?)?.unchecked_into())
    }

    /// Visits known here, the newest first: so many behind one that was shown.
    pub fn visits(&self, behind: Option<String>, limit: usize) -> Result<JsVisits> {
        let behind = behind.map(|id| parse(&id, "visit")).transpose()?;
        Ok(to_js(&self.client.visits_behind(behind, limit)?)?.unchecked_into())
    }

    /// Visits that count at a place, the newest first.
    #[wasm_bindgen(js_name = visitsAt)]
    pub fn visits_at(&self, place: &str) -> Result<JsVisits> {
        Ok(to_js(&self.client.visits_at(parse(place, "place")?)?)?.unchecked_into())
    }

    /// Visits that somebody has to look at.
    #[wasm_bindgen(js_name = visitsAsking)]
    pub fn visits_asking(&self) -> Result<JsVisits> {
        Ok(to_js(&self.client.visits_asking()?)?.unchecked_into())
    }

    /// One visit.
    pub fn visit(&self, id: &str) -> Result<JsVisit> {
        Ok(to_js(&self.client.visit(parse(id, "visit")?)?)?.unchecked_into())
    }

    /// Every change of a visit or place, oldest first.
    pub fn history(&self, id: &str) -> Result<JsHistory> {
        Ok(to_js(&self.client.history(parse(id, "document")?)?)?.unchecked_into())
    }

    /// Begins to write a visit down. The draft's id; it is on disk.
    #[wasm_bindgen(js_name = beginDraft)]
    pub fn begin_draft(&mut self, form: &JsForm) -> Result<String> {
        Ok(self.client.begin_draft(&from_js(form.as_ref())?)?.to_string())
    }

    /// The visits that are being written down, the last one written to first.
    pub fn drafts(&self) -> Result<JsDrafts> {
        Ok(to_js(&self.client.drafts()?)?.unchecked_into())
    }

    /// Keeps a visit as far as it is filled in. On disk when it returns.
    #[wasm_bindgen(js_name = keepDraft)]
    pub fn keep_draft(&mut self, id: &str, form: &JsForm) -> Result<()> {
        Ok(self.client.keep_draft(parse(id, "draft")?, &from_js(form.as_ref())?)?)
    }

    /// Gives one up.
    #[wasm_bindgen(js_name = dropDraft)]
    pub fn drop_draft(&mut self, id: &str) -> Result<()> {
        Ok(self.client.drop_draft(parse(id, "draft")?)?)
    }

    /// Makes a visit of a draft, once. Its id.
    #[wasm_bindgen(js_name = logDraft)]
    pub fn log_draft(&mut self, id: &str) -> Result<String> {
        Ok(self.client.log_draft(parse(id, "draft")?)?.to_string())
    }

    /// Changes a visit.
    #[wasm_bindgen(js_name = editVisit)]
    pub fn edit_visit(&mut self, id: &str, changes: &JsEdits) -> Result<()> {
        let changes: Vec<VisitChange> = from_js(changes.as_ref())?;
        Ok(self.client.change_visit(parse(id, "visit")?, &changes)?)
    }

    /// Ends a conflict by one of the values that are shown, as `Visit` has it.
    pub fn choose(&mut self, id: &str, field: &str, value: JsValue) -> Result<()> {
        Ok(self.client.choose(parse(id, "visit")?, field, &from_js(&value)?)?)
    }

    /// Forgets everything: for a device that was shut out.
    pub fn erase(&mut self) -> Result<()> {
        Ok(self.client.erase()?)
    }
}

impl Device {
    pub(crate) async fn over(
        folder: &str,
        public_key: &[u8],
        open: impl FnOnce(SqliteStore, PublicKey, Seams) -> std::result::Result<Client<SqliteStore>, Error>,
    ) -> Result<Self> {
        let key = PublicKey::from_slice(public_key).map_err(|_| invalid("a public key is 33 bytes"))?;
        let folder = OpfsFolder::hold(folder).await.map_err(Error::from)?;
        let store = folder.open().map_err(Error::from)?;
        Ok(Self { client: open(store, key, seams()?)?, _folder: folder })
    }
}
