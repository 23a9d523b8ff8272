//! A driver that keeps its promises lives; one that breaks one is told which.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use serde_json::json;

use super::*;
use crate::things::{Fault, Things};
use crate::typed_driver::TypedDriver as _;

fn spec(text: &str) -> Json {
    let password = json!({ "$secret": { "env": "PASSWORD" } });
    json!({ "text": text, "password": password, "tags": { "team": "a" } })
}

async fn live(driver: Arc<dyn Driver>) {
    let life = Life::of(driver).secret("PASSWORD", "open sesame");
    life.makes(spec("hello")).changes_to(spec("bye")).with_every_call_twice().await;
}

#[tokio::test]
async fn who_keeps_the_promises_lives() {
    live(Things::<true>::default().into_driver()).await;
    live(Things::<false>::default().into_driver()).await;
}

/// What the life of such a thing ends with.
async fn broken<const NAMED: bool>(fault: Fault, wanted: &str) {
    let life = live(Things::<NAMED>::with(fault).into_driver());
    let ended = AssertUnwindSafe(life).catch_unwind().await;
    let panic = ended.expect_err(&format!("{fault:?} was not noticed"));
    let said = crate::serve::said(panic.as_ref());
    assert!(said.starts_with(wanted), "{fault:?}: {said}");
}

#[tokio::test]
async fn who_breaks_a_promise_is_told_which() {
    broken::<true>(Fault::Overwrites, "`create` made it for another stack too; a name that").await;
    broken::<true>(Fault::ForgetsTags, "`observe` tells that it is Foreign; what this").await;
    let short = "`observe` tells differences: /text is \"he\", not \"hello\"; what was just made";
    broken::<true>(Fault::Shortens, short).await;
    broken::<true>(Fault::HidesOutput, "`observe` does not tell the output `address`; ").await;
    let same = "`update` left differences after 20 calls: /text is \"hello\", not \"bye\"; each";
    broken::<true>(Fault::IgnoresChanges, same).await;
    let gone = "`delete` answered invalid: no such thing the second time; it starts its end";
    broken::<true>(Fault::DeletesOnce, gone).await;
    broken::<true>(Fault::ListsNothing, "`owned` lists []; it lists what carries").await;
    // Where nothing but the server's id tells things apart, what is not listed is made again.
    let twice = "`create` made Some(\"thing-0\"), and Some(\"thing-1\") the second time; the";
    broken::<false>(Fault::ListsNothing, twice).await;
    broken::<false>(Fault::ForgetsTags, twice).await;
}
