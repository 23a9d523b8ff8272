//! Settings against their JSON Schema: by [`check`] here, with places; by an editor, through [`document`].

mod adopt;
mod alternatives;
mod check;
mod document;
mod scalars;

pub(crate) use adopt::adopt_texts;
pub use check::check;
pub use document::document;
