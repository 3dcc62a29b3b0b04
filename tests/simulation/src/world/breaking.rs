//! What the line does to requests and answers, and what happens to phones and server.

use aralau_client_sdk::{HttpResponse, TransportError};

use super::World;
use crate::{
    judges::Judgement,
    line::{Answered, Sent, block_ends},
    server::Arrival,
};

impl World {
    /// A request on its way up.
    pub(super) fn carry_up(&mut self, sent: Sent) -> Judgement {
        self.overheard = Some(sent.clone());
        if self.chance.below(1000) >= self.plan.line_faults {
            return self.arrive_and_go_on(sent);
        }
        let who = format!("line, request {}", sent.number);
        match self.chance.below(4) {
            0 => {
                self.fault(who, "lost");
                self.unanswered(&sent);
                self.go_on(&sent)
            }
            1 => {
                self.fault(who, "late: the phone no longer waits");
                self.hear(sent.from.0, sent.number, Err(TransportError::TimedOut));
                let from = sent.from.0;
                self.line.requests.push(sent);
                self.drive(from)
            }
            2 => {
                self.fault(who, "doubled");
                self.exchange(&sent, Arrival::default())?;
                self.arrive_and_go_on(sent)
            }
            _ => self.break_off(sent),
        }
    }

    fn arrive_and_go_on(&mut self, sent: Sent) -> Judgement {
        let number = sent.number;
        self.say("server", format_args!("hears request {number}"));
        self.arrive(sent)
    }

    /// Only the beginning arrives.
    fn break_off(&mut self, sent: Sent) -> Judgement {
        let ends = block_ends(&sent.request.body);
        let block = self.chance.below(ends.len().max(1) as u64) as usize;
        let end = ends.get(block).copied().unwrap_or(0);
        let next = ends.get(block + 1).copied().unwrap_or(end);
        let cut = if self.chance.below(2) == 0 { end } else { end + (next - end) / 2 };
        self.fault(format_args!("line, request {}", sent.number), format_args!("breaks off in block {block}"));
        self.exchange(&sent, Arrival { cut: Some(cut), interlude: None })?;
        self.unanswered(&sent);
        self.go_on(&sent)
    }

    /// An answer on its way down.
    pub(super) fn carry_down(&mut self, answered: Answered) -> Judgement {
        let Answered { number, to, response } = answered;
        let broken = self.chance.below(1000) < self.plan.line_faults;
        let who = format!("line, answer {number}");
        let heard = match self.chance.below(3) {
            _ if !broken => {
                self.say(who, format_args!("arrives: {}", response.status));
                Ok(response)
            }
            0 => {
                self.fault(who, "lost");
                Err(TransportError::TimedOut)
            }
            1 => {
                self.fault(who, "cut");
                let half = response.body.len() / 2;
                Ok(HttpResponse { body: response.body[..half].to_vec(), ..response })
            }
            _ => {
                self.fault(who, "an earlier one in its place");
                Ok(self.line.earlier.get(&to).cloned().unwrap_or_default())
            }
        };
        self.hear(to.0, number, heard);
        self.drive(to.0)
    }

    fn go_on(&mut self, sent: &Sent) -> Judgement {
        self.drive(sent.from.0)
    }
}
