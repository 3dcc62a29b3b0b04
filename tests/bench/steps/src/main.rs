//! One step of the work at a time, in one process, so that its instructions can be counted.
//!
//! `aralau-bench-steps STEP COUNT` makes everything ready and then does the step COUNT times; with COUNT 0 it only makes
//! ready. The difference of the two, counted by valgrind, is what the step costs, to two percent or so.

mod stage;

use anyhow::{Context as _, Result, bail};
use stage::{DEVICES, Stage, VISITS};

fn main() -> Result<()> {
    let usage = "usage: aralau-bench-steps take|give|list|search|save COUNT";
    let mut arguments = std::env::args().skip(1);
    let (step, count) = (arguments.next().context(usage)?, arguments.next().context(usage)?.parse::<usize>()?);
    let mut stage = Stage::new()?;
    match step.as_str() {
        // The server takes one device's visits, from the request's first byte to the answer's last.
        "take" => {
            let uploads = stage.uploads()?;
            if count > DEVICES {
                bail!("there are {DEVICES} devices with {VISITS} visits each");
            }
            uploads[..count].iter().try_for_each(|upload| stage.deliver(upload).map(drop))
        }
        // It gives all of them to a device that has none.
        "give" => {
            stage.fill()?;
            // All of them whatever the count: what a new device's store costs to make is not the server's.
            let questions = stage.questions()?;
            if count > questions.len() {
                bail!("there are {} devices that ask", questions.len());
            }
            questions[..count].iter().try_for_each(|question| stage.deliver(question).map(drop))
        }
        "list" => {
            stage.fill()?;
            (0..count).try_for_each(|_| stage.ask("/v1/visits?beat=beat-01&outcome=contacted"))
        }
        "search" => {
            stage.fill()?;
            (0..count).try_for_each(|_| stage.ask("/v1/visits?text=%D0%BA%D1%80%D0%BE%D0%B2%D0%BB%D1%8F"))
        }
        // A device saves a visit.
        "save" => stage.save(count),
        _ => bail!(usage),
    }
}
