//! How a follow-up is started in Kubernetes: a Job, its result and the tail of its log.
//!
//! [`prepare`] finds out whether the Job can be created, before anybody works for hours: the template is read, the
//! credentials are found, the API server answers, the CronJob exists, and a rehearsal on the server shows that the Job is
//! valid and allowed. [`start_and_wait`] creates it, waits with a deadline, and says what came of it.
//!
//! Whatever is created here belongs to one run: its name ends in the run's id, an annotation holds the whole of it, so that
//! creating twice creates once, and nothing is deleted that another has made. A Job that nobody waits for any more goes by
//! itself: it has a deadline and a time to live.
//!
//! The log and the manifest may hold what nobody else shall see: neither is ever in an error or in a message of this crate.

mod api_server;
mod credentials;
mod error;
mod follow_up;
mod job_name;
mod log_tail;
mod manifest;
mod outcome;
mod pods;
mod preparation;
mod run_job;
mod template;
mod waiting;

pub use crate::error::KubeError;
pub use crate::follow_up::{FollowUp, JobSource};
pub use crate::outcome::{JobEnd, JobOutcome, LogTail};
pub use crate::preparation::{Prepared, prepare};
pub use crate::run_job::start_and_wait;
