//! `/v1/code-lists`: the wording of codes, in three languages.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use aralau_sync_core::vocabulary;

use super::problem::Problem;
use crate::{auth::Caller, authorize::Action};

/// The code lists of this build.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeLists {
    /// Rises whenever a code or a wording changes.
    pub version: u32,
    /// The lists.
    #[schema(value_type = Vec<CodeListShown>)]
    pub lists: &'static [vocabulary::CodeList],
}

/// How a code list is shown.
#[derive(ToSchema)]
#[schema(as = CodeList)]
#[expect(dead_code, reason = "describes `vocabulary::CodeList`")]
struct CodeListShown {
    /// How the data dictionary names it.
    name: String,
    /// In the order in which a form offers them.
    codes: Vec<CodeShown>,
}

/// How a code is shown.
#[derive(ToSchema)]
#[schema(as = Code)]
#[expect(dead_code, reason = "describes `vocabulary::Code`")]
struct CodeShown {
    /// What documents hold.
    code: String,
    /// Russian.
    ru: LabelShown,
    /// Kazakh.
    kk: LabelShown,
    /// English.
    en: LabelShown,
}

/// How a wording is shown.
#[derive(ToSchema)]
#[schema(as = Label)]
#[expect(dead_code, reason = "describes `vocabulary::Label`")]
struct LabelShown {
    /// As it stands on screen.
    text: String,
    /// False while a native reader has yet to confirm it.
    reviewed: bool,
}

/// The codes that fields normally hold, and their wording. Codes that are not listed are carried, never refused.
#[utoipa::path(
    get, path = "/v1/code-lists", operation_id = "list_code_lists", security(("token" = []), ("session" = [])), responses((status = 200, body = CodeLists), Problem)
)]
pub async fn list(caller: Caller) -> Result<Json<CodeLists>, Problem> {
    caller.may(Action::ReadCodeLists)?;
    Ok(Json(CodeLists { version: vocabulary::VERSION, lists: vocabulary::LISTS }))
}
