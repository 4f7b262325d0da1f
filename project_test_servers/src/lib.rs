//! Starts the real servers that tests need; used only as a dev-dependency.
//!
//! Every server listens on 127.0.0.1, on a port of its own, and ends with the handle that started it.

pub mod aws_stand_in;
pub mod certificates;
mod copy_text;
pub mod dropping_proxy;
pub mod hot_standby;
mod http_stand_in;
pub mod kube_api_server;
pub mod kube_recording;
pub mod kube_stand_in;
pub mod kubeconfig;
mod loopback_listener;
pub mod postgres;
mod postgres_tls;
pub mod pushgateway_stand_in;
pub mod python;
pub mod sentry_stand_in;
