//! Appointments: the list, and entering one.

use clap::Args;
use lienthong_model::{Appointment, Day, Role, Signatory, Territory, Timestamp};
use serde::Serialize;

use crate::cli::Output;
use crate::office::{ActArgs, Office};
use crate::output;
use crate::source::{self, Source, SourceArgs};
use crate::values::{self, person_text, territory_text};

#[derive(Debug, Args)]
pub(super) struct AppointArgs {
    /// Who: the agency and the id of the operator's certificate
    #[arg(long, value_name = "AGENCY/ID", value_parser = values::person)]
    person: Signatory,
    /// viewer, operator or administrator
    #[arg(long, value_parser = values::role)]
    role: Role,
    /// For which agencies: country, province:CODE or agency:CODE
    #[arg(long, value_parser = values::territory)]
    territory: Territory,
    /// First day in force; default: today
    #[arg(long, value_name = "DAY", value_parser = values::day)]
    from: Option<Day>,
    /// First day no longer in force: ends the appointment with the same person, role, territory and
    /// first day
    #[arg(long, value_name = "DAY", value_parser = values::day)]
    until: Option<Day>,
    #[command(flatten)]
    act: ActArgs,
}

/// An appointment for programs.
#[derive(Debug, Serialize)]
struct AppointmentView {
    person: String,
    role: &'static str,
    territory: String,
    from: String,
    until: Option<String>,
    in_force: bool,
}

/// Appoints a person.
pub(super) async fn appoint(args: &AppointArgs, output: Output) -> anyhow::Result<()> {
    let mut office = Office::open(&args.act).await?;
    let today = office.today();
    let appointment = Appointment {
        holder: args.person.clone(),
        role: args.role,
        territory: args.territory.clone(),
        from: args.from.unwrap_or(today),
        until: args.until,
    };
    office.appoint(appointment.clone()).await?;
    output::many(output, &[AppointmentView::of(&appointment, today.start())], table)
}

/// Prints every appointment.
pub(super) async fn list(source: &SourceArgs, output: Output) -> anyhow::Result<()> {
    let (appointments, now) = match source.open().await? {
        Source::Hub(client) => (client.administration().appointments().await?, client.now()),
        Source::Folder(folder) => {
            let all = folder.reader().policy().appointments.all().cloned().collect();
            (all, source::machine_now())
        }
    };
    let view = |one: &Appointment| AppointmentView::of(one, now);
    let views: Vec<AppointmentView> = appointments.iter().map(view).collect();
    output::many(output, &views, table)
}

fn table(views: &[AppointmentView]) -> String {
    if views.is_empty() {
        return "chưa ai được bổ nhiệm / nobody is appointed\n".to_owned();
    }
    let mut table = output::table([
        "Người\nperson",
        "Vai trò\nrole",
        "Phạm vi\nterritory",
        "Từ\nfrom",
        "Đến\nuntil",
        "Hiệu lực\nin force",
    ]);
    for view in views {
        table.add_row([
            view.person.clone(),
            view.role.to_owned(),
            view.territory.clone(),
            view.from.clone(),
            view.until.clone().unwrap_or_default(),
            if view.in_force { "có / yes" } else { "không / no" }.to_owned(),
        ]);
    }
    output::text_of(&table)
}

impl AppointmentView {
    fn of(appointment: &Appointment, at: Timestamp) -> Self {
        Self {
            person: person_text(&appointment.holder),
            role: appointment.role.name(),
            territory: territory_text(&appointment.territory),
            from: appointment.from.to_string(),
            until: appointment.until.map(|day| day.to_string()),
            in_force: appointment.in_force(at),
        }
    }
}
