//! Who the API server is, and who we are: certificates, and kubeconfigs that lead nowhere.

use std::path::Path;

use anyhow::{Result, bail};
use project_kube::KubeError;
use project_test_servers::certificates::Authority;
use project_test_servers::kube_stand_in::{KubeStandIn, TOKEN};
use project_test_servers::kubeconfig;
use serde_json::{Value, json};

use crate::cases::Case;
use crate::replay::{answered, recorded};

#[tokio::test]
async fn an_authority_of_its_own_vouches_for_the_server() -> Result<()> {
    let (case, exchanges) = recorded("unknown_cron_job")?;
    let folder = tempfile::tempdir()?;
    let authority = Authority::create(folder.path(), "ours")?;
    let server = KubeStandIn::start(answered(exchanges), Some(&authority.issue("IP:127.0.0.1", 1)?))?;
    let file = kubeconfig::write(folder.path(), &server.url(), Some(&authority.certificate()), TOKEN, "shop")?;
    case.judge(&case.play(file).await)?;
    server.finish()
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() -> Result<()> {
    let (case, _) = recorded("unknown_cron_job")?;
    let folder = tempfile::tempdir()?;
    let ours = Authority::create(folder.path(), "ours")?;
    let theirs = Authority::create(folder.path(), "theirs")?;
    for issued in [theirs.issue("IP:127.0.0.1", 1)?, ours.issue("DNS:elsewhere", 1)?, ours.issue("IP:127.0.0.1", -1)?] {
        let server = KubeStandIn::start([], Some(&issued))?;
        let file = kubeconfig::write(folder.path(), &server.url(), Some(&ours.certificate()), TOKEN, "shop")?;
        let error = case.play(file).await.unwrap_err();
        assert!(matches!(&error, KubeError::Unreachable(said) if said.contains("certificate")), "{error:?}");
        server.finish()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_reachable() -> Result<()> {
    let (case, _) = recorded("unknown_cron_job")?;
    let folder = tempfile::tempdir()?;
    let gone = KubeStandIn::start([], None)?.url();
    let error = case.play(kubeconfig::write(folder.path(), &gone, None, TOKEN, "shop")?).await.unwrap_err();
    assert!(matches!(&error, KubeError::Unreachable(said) if said.contains("refused")), "{error:?}");
    Ok(())
}

/// What the case says to a kubeconfig with this text.
async fn said_to(case: &Case, folder: &Path, text: &str) -> Result<String> {
    let file = folder.join("broken");
    std::fs::write(&file, text)?;
    match case.play(file).await {
        Err(KubeError::Configuration(said)) => Ok(said),
        other => bail!("{text}: {other:?}"),
    }
}

#[tokio::test]
async fn a_kubeconfig_that_leads_nowhere_is_a_mistake_and_repeats_no_token() -> Result<()> {
    let (case, _) = recorded("unknown_cron_job")?;
    let folder = tempfile::tempdir()?;
    let usual =
        std::fs::read_to_string(kubeconfig::write(folder.path(), "http://127.0.0.1:1", None, "canary", "shop")?)?;
    let usual: Value = serde_json::from_str(&usual)?;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = usual.clone();
        change(&mut changed);
        changed.to_string()
    };
    let plugin = |command: &str| json!({"apiVersion": "client.authentication.k8s.io/v1", "command": command});
    for (text, word) in [
        ("users: [{name: a, user: {token: canary".to_owned(), "cannot be understood, line 1"),
        ("clusters: canary".to_owned(), "cannot be understood"),
        (String::new(), "current context"),
        (with(&|all| all["current-context"] = "other".into()), "other"),
        (with(&|all| all["clusters"][0]["cluster"]["server"] = "not a url".into()), "url"),
        (
            with(&|all| all["clusters"][0]["cluster"]["certificate-authority"] = "/nowhere/ca.pem".into()),
            "/nowhere/ca.pem",
        ),
        (with(&|all| all["clusters"][0]["cluster"]["proxy-url"] = "http://127.0.0.1:1".into()), "without a proxy"),
        (with(&|all| all["users"][0]["user"] = json!({"exec": plugin("/nowhere/plugin")})), "cannot be started"),
        (with(&|all| all["users"][0]["user"] = json!({"exec": plugin("/bin/true")})), "plugin"),
        (with(&|all| all["contexts"][0]["context"]["namespace"] = "../other".into()), "no name of a namespace"),
    ] {
        let said = said_to(&case, folder.path(), &text).await?;
        assert!(said.contains(word) && !said.contains("canary"), "{text}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_fails_has_no_words_of_its_own() -> Result<()> {
    let (case, exchanges) = recorded("unknown_cron_job")?;
    let folder = tempfile::tempdir()?;
    let server = KubeStandIn::start(answered(exchanges), None)?;
    let file = kubeconfig::write(folder.path(), &server.url(), None, "", "shop")?;
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    let mut ask = async |script: &str| {
        let (command, args) = ("/bin/sh", ["-c", script]);
        config["users"][0]["user"] =
            json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": args}});
        std::fs::write(&file, config.to_string())?;
        anyhow::Ok(case.play(file.clone()).await)
    };
    let error = ask("echo canary; echo canary >&2; exit 3").await?.unwrap_err();
    assert!(matches!(&error, KubeError::Denied(said) if said.contains("exit status: 3")), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    let credentials =
        json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": TOKEN}});
    case.judge(&ask(&format!("echo '{credentials}'")).await?)?;
    server.finish()
}
