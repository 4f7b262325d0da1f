//! Finding out whether the store keeps two writers of one key apart: some stores ignore the condition without a word.

use crate::conditional_object::Created;
use crate::connection::Aws;
use crate::error::AwsError;
use crate::location::S3Url;

impl Aws {
    /// Whether conditional writes work, tried with two objects at `probe`, a key that nobody else uses; nothing is left
    /// there. A store without them is told loudly, once, and from then on looked at before every write.
    pub async fn has_conditional_writes(&self, probe: &S3Url) -> Result<bool, AwsError> {
        let outcome = self.second_write_is_refused(probe).await;
        let removed = self.delete_objects_below(probe, &[String::new()]).await;
        let has_them = outcome?;
        removed?;
        Ok(has_them)
    }

    async fn second_write_is_refused(&self, probe: &S3Url) -> Result<bool, AwsError> {
        self.create_object(probe, b"the first writer".to_vec()).await?;
        if self.conditional_writes.are_missing() {
            return Ok(false);
        }
        let second = self.create_object(probe, b"the second writer".to_vec()).await?;
        if second == Created::Done {
            self.conditional_writes.found_missing(probe, "it ignores the condition");
        }
        Ok(!self.conditional_writes.are_missing())
    }
}
