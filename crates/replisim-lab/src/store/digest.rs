//! The digest of a store: what it holds, not how or when it came to hold it.

use std::convert::Infallible;

use replisim_kernel::{Digest, Fingerprint};

use super::{Manifest, Store, StoreError};

impl Store {
    /// The digest of everything that a merged store would hold: the same for the same results, however they got here.
    /// Ids of this file and times on the wall are not part of it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn digest(&self) -> Result<Digest, StoreError> {
        let _snapshot = self.snapshot()?;
        let mut print = Fingerprint::new();
        let mut campaigns = self.campaigns()?;
        campaigns.sort_by_cached_key(Manifest::digest);
        for manifest in campaigns {
            let campaign = manifest.digest();
            print.fold(&("campaign", &manifest));
            for (number, id) in (0..).zip(self.subject_ids(campaign)?) {
                print.fold(&("subject", number));
                self.fold_runs(id, number, &mut print)?;
                for cell in self.coverage_by_lot(id, number)? {
                    print.fold(&("cell", cell));
                }
            }
            for failure in self.failures(campaign)? {
                print.fold(&("failure", failure));
            }
            for divergence in self.divergences(campaign)? {
                print.fold(&("divergence", divergence));
            }
        }
        for known in self.known()? {
            print.fold(&("known", known));
        }
        Ok(print.digest())
    }

    /// Folds a subject's runs in one by one: they are too many to be held.
    fn fold_runs(&self, id: i64, number: u32, print: &mut Fingerprint) -> Result<(), StoreError> {
        let Ok(()) = self.each_run_of(id, number, |run| {
            print.fold(&("run", run));
            Ok::<(), Infallible>(())
        })?;
        Ok(())
    }
}
