//! A store that answers every request with what the test tells it to: S3 as it never should be.

use std::fs;

use anyhow::{Context, Result};
use project_aws::{Aws, AwsError, AwsErrorKind, Uploaded};
use tempfile::tempdir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fixture::{config, lake, local_file, no_progress};

/// From the method of a request to the headers and the body of the answer.
type Answers = fn(&str) -> String;

async fn serve(stream: TcpStream, answers: Answers) -> Result<()> {
    let mut stream = BufStream::new(stream);
    loop {
        let (mut request, mut line, mut length) = (String::new(), String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if let Some(("content-length", value)) = line.split_once(':') {
                length = value.trim().parse()?;
            }
            request.push_str(&line);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let method = request.split(' ').next().unwrap_or_default();
        let answer = format!("HTTP/1.1 200 OK\r\n{}", answers(method));
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}

/// Clients of such a store, and the store itself, which the caller ends.
async fn store(answers: Answers) -> Result<(Aws, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answers));
        }
    });
    Ok((Aws::from_config(&config(&endpoint), true), server))
}

/// Uploads `123456789`, whose CRC-32 is y/Q5Jg== in base64.
async fn upload_to(answers: Answers) -> Result<Result<Uploaded, AwsError>> {
    let (aws, server) = store(answers).await?;
    let folder = tempdir()?;
    let file = local_file(folder.path(), "orders/a.parquet", 9)?;
    fs::write(&file.path, "123456789")?;
    let outcome = aws.upload_new(&lake()?, &file, &no_progress, &CancellationToken::new()).await;
    server.abort();
    Ok(outcome)
}

fn object(bytes: usize, crc32: &str) -> String {
    format!("content-length: {bytes}\r\nx-amz-checksum-crc32: {crc32}\r\n\r\n")
}

fn honest(method: &str) -> String {
    object(if method == "HEAD" { 9 } else { 0 }, "y/Q5Jg==")
}

#[tokio::test]
async fn only_the_right_size_and_checksum_confirm_an_upload() -> Result<()> {
    let uploaded = upload_to(honest).await??;
    assert_eq!((uploaded.bytes, uploaded.crc32.as_str()), (9, "y/Q5Jg=="));
    let wrong_answer: Answers = |method| match method {
        "PUT" => object(0, "AAAAAA=="),
        _ => honest(method),
    };
    let wrong_object: Answers = |method| match method {
        "HEAD" => object(9, "AAAAAA=="),
        _ => honest(method),
    };
    let cut_off: Answers = |method| match method {
        "HEAD" => object(8, "y/Q5Jg=="),
        _ => honest(method),
    };
    let without_checksum: Answers = |method| match method {
        "HEAD" => "content-length: 9\r\n\r\n".to_owned(),
        _ => honest(method),
    };
    for (answers, reason) in [
        (wrong_answer, "its CRC-32 is AAAAAA== instead of y/Q5Jg=="),
        (wrong_object, "its CRC-32 is AAAAAA== instead of y/Q5Jg=="),
        (cut_off, "it has 8 bytes instead of 9"),
        (without_checksum, "the store reports no CRC-32"),
    ] {
        let error = upload_to(answers).await?.err().context(reason)?;
        assert_eq!(error.kind(), AwsErrorKind::Data, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(error.to_string().contains("s3://lake/team/shop/orders/a.parquet"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_part_that_the_store_has_otherwise_than_it_was_sent_is_not_staged() -> Result<()> {
    fn begun(method: &str) -> Option<String> {
        let body = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
        (method == "POST").then(|| format!("content-length: {}\r\n\r\n{body}", body.len()))
    }
    let cases: [(Answers, bool); 3] = [
        (|method| begun(method).unwrap_or_else(|| object(0, "y/Q5Jg==")), true),
        (|method| begun(method).unwrap_or_else(|| "content-length: 0\r\n\r\n".to_owned()), true),
        (|method| begun(method).unwrap_or_else(|| object(0, "AAAAAA==")), false),
    ];
    for (answers, as_sent) in cases {
        let (aws, server) = store(answers).await?;
        let folder = tempdir()?;
        let file = local_file(folder.path(), "orders/a.parquet", 9)?;
        fs::write(&file.path, "123456789")?;
        let staged = aws.stage(&lake()?, &file, &no_progress, &CancellationToken::new()).await;
        server.abort();
        assert_eq!(staged.is_ok(), as_sent, "{staged:?}");
        if let Err(error) = staged {
            assert_eq!(error.kind(), AwsErrorKind::Data, "{error}");
            assert!(error.to_string().contains("its CRC-32 is AAAAAA== instead of y/Q5Jg=="), "{error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_key_that_was_not_deleted_is_an_error_although_the_request_succeeded() -> Result<()> {
    let (aws, server) = store(|_method| {
        let body = "<DeleteResult><Error><Key>team/shop/foo/old.parquet</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>";
        format!("content-length: {}\r\n\r\n{body}", body.len())
    })
    .await?;
    let error = aws.delete_objects_below(&lake()?, &["foo/old.parquet".to_owned()]).await.unwrap_err();
    server.abort();
    assert_eq!(error.kind(), AwsErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("team/shop/foo/old.parquet"), "{error}");
    Ok(())
}
