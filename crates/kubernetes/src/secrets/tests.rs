use serde_json::json;

use super::*;
use crate::scripted::{Answer, not_found, refusal, server};

fn source(answers: Vec<Answer>) -> KubernetesSecrets {
    let (client, _) = server(answers);
    let env: ReadEnv = Arc::new(|name| (name == "SET").then(|| "value\n".to_owned()));
    let file: ReadFile = Arc::new(|path| match path {
        "there" => Ok("line\n\n".to_owned()),
        "windows" => Ok("line\r\n".to_owned()),
        "locked" => Err(io::ErrorKind::PermissionDenied.into()),
        _ => Err(io::ErrorKind::NotFound.into()),
    });
    KubernetesSecrets::new(client, "dev", env, file)
}

async fn resolve(source: &KubernetesSecrets, reference: &SecretRef) -> Result<String, SecretError> {
    source.resolve(reference).await.map(|value| value.expose().clone())
}

fn key(key: &str) -> SecretRef {
    SecretRef::Secret(SecretKey { name: "db".to_owned(), key: key.to_owned() })
}

#[tokio::test]
async fn the_environment_is_taken_as_it_is_and_a_file_without_its_last_line_break() {
    let source = source(Vec::new());
    let env = |name: &str| SecretRef::Env(name.to_owned());
    let file = |path: &str| SecretRef::File(path.to_owned());
    assert_eq!(resolve(&source, &env("SET")).await.unwrap(), "value\n");
    assert_eq!(resolve(&source, &env("UNSET")).await, Err(SecretError::Missing(env("UNSET"))));
    assert_eq!(resolve(&source, &file("there")).await.unwrap(), "line\n");
    assert_eq!(resolve(&source, &file("windows")).await.unwrap(), "line");
    assert_eq!(resolve(&source, &file("none")).await, Err(SecretError::Missing(file("none"))));
    let locked = resolve(&source, &file("locked")).await;
    assert!(matches!(locked, Err(SecretError::Unreadable { .. })), "{locked:?}");
}

#[tokio::test]
async fn a_secret_of_the_cluster_is_decoded() {
    let get = "GET /api/v1/namespaces/dev/secrets/db";
    let object = || json!({ "data": { "password": "aHVudGVyMg==", "binary": "/w==" } });
    let value = resolve(&source(vec![(get, 200, object())]), &key("password")).await;
    assert_eq!(value.unwrap(), "hunter2");
    let missing = resolve(&source(vec![(get, 200, object())]), &key("other")).await;
    assert_eq!(missing, Err(SecretError::Missing(key("other"))));
    let gone = resolve(&source(vec![(get, 404, not_found())]), &key("password")).await;
    assert_eq!(gone, Err(SecretError::Missing(key("password"))));
    let denied = source(vec![(get, 403, refusal(403, "Forbidden", "no"))]);
    for (source, reference) in
        [(denied, key("password")), (source(vec![(get, 200, object())]), key("binary"))]
    {
        let failed = resolve(&source, &reference).await;
        assert!(matches!(failed, Err(SecretError::Unreadable { .. })), "{failed:?}");
    }
}
