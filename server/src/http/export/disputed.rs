//! The columns of values between which somebody has to choose, whatever they are listed beside.

use super::{
    table::{Cell, Column, instant, of},
    words,
};
use crate::query::more::Disputed;

pub(super) const fn field<R>() -> Column<R, Disputed> {
    Column::<R, Disputed>::of("field", words::FIELD, |_, said| Cell::Key(&said.field)).coded()
}

pub(super) const fn value<R>() -> Column<R, Disputed> {
    Column::<R, Disputed>::of("value", words::VALUE, |_, said| {
        Cell::Value(&said.field, &said.value, said.place.as_ref())
    })
    .coded()
}

pub(super) const fn is_shown<R>() -> Column<R, Disputed> {
    Column::<R, Disputed>::of("shown", words::IS_SHOWN, |_, said| Cell::Flag(said.is_shown)).coded()
}

pub(super) const fn written_by<R>() -> Column<R, Disputed> {
    Column::<R, Disputed>::of("written_by", words::WRITTEN_BY, |_, said| of(said.people.first(), Cell::Person))
}

pub(super) const fn written_at<R>() -> Column<R, Disputed> {
    Column::<R, Disputed>::of("written_at", words::WRITTEN_AT, |_, said| instant(Some(said.at))).time()
}

pub(super) const fn also_by<R>() -> Column<R, Disputed> {
    Column::<R, Disputed>::of("also_by", words::ALSO_BY, |_, said| {
        Cell::People(said.people.get(1..).unwrap_or_default())
    })
}
