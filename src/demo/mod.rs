//! `maildesk demo`: a ticket's life played through the real code in a temporary folder, told as a story.

pub mod people;
mod stage;
pub mod world;

use crate::address::{Address, Mailbox};
use anyhow::{Context as _, Result};
use people::Letter;
use stage::Stage;
use std::time::Duration;
use world::World;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn person(address: &str, name: &str) -> Mailbox {
    Mailbox::new(Address::parse(address).expect("the story's addresses are valid"), name)
}

/// The letter to `address`.
fn letter<'a>(letters: &'a [Letter], address: &str) -> Result<&'a Letter> {
    letters.iter().find(|l| l.to == address).with_context(|| format!("the story expected a letter to {address}"))
}

/// Plays the story. With `wait` it stops after each scene until Enter is pressed.
///
/// # Errors
/// When a scene does not go as told: then the program is broken, not the story.
pub async fn play(wait: bool, out: &mut impl std::io::Write) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("maildesk-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut world = World::create(&folder).await?;
    let mut stage = Stage { out, wait };
    stage.opening(&world)?;
    printer(&mut world, &mut stage).await?;
    vpn(&mut world, &mut stage).await?;
    erp(&mut world, &mut stage).await?;
    stage.ending(&world).await
}

/// A broken printer in Chinese: asked once for what is missing, helped, rated.
async fn printer(world: &mut World, stage: &mut Stage<'_, impl std::io::Write>) -> Result<()> {
    let (zhang, li) = (person("zhang.wei@example.com", "张伟"), person("li.na@example.com", "李娜"));
    stage.scene(
        world,
        "张伟的打印机坏了，他用手机写了两行。 / Zhang Wei's printer is broken; he writes two lines from his phone.",
    )?;
    stage.says(&zhang, "三楼打印机卡纸", "三楼的打印机从早上开始一直卡纸，重启过也不行。\n麻烦看一下，谢谢")?;
    let letters = world
        .writes(&zhang, "三楼打印机卡纸", "三楼的打印机从早上开始一直卡纸，重启过也不行。\n麻烦看一下，谢谢")
        .await?;
    stage.letters(&letters)?;
    let notice = letter(&letters, "li.na@example.com")?.clone();

    world.clock.advance(6 * MINUTE);
    stage.scene(world, "工程师李娜认领并回复，只用邮件。 / The engineer takes it and answers, by mail alone.")?;
    let text = "#认领\n您好，张伟：请先打开打印机后盖，取出卡住的纸，再合上试一下。我十点前到三楼。";
    stage.says(&li, "回复", text)?;
    let letters = world.replies(&li, &notice, text).await?;
    stage.letters(&letters)?;
    let answer = letter(&letters, "zhang.wei@example.com")?.clone();

    world.clock.advance(20 * MINUTE);
    stage.scene(world, "张伟补充情况，转给李娜。 / Zhang Wei adds something; it reaches Li Na.")?;
    let text = "纸取出来了，还是卡，每次都在第二页。\n部门：财务部\n联系电话：8012";
    stage.says(&zhang, "回复", text)?;
    let letters = world.replies(&zhang, &answer, text).await?;
    stage.letters(&letters)?;

    world.clock.advance(30 * MINUTE);
    stage.scene(world, "李娜先给一个临时办法。 / A workaround first.")?;
    let text = "#临时措施\n今天请先用二楼打印机（已帮您装好，名称 PRN-2F）。搓纸轮磨损，备件下午到。";
    stage.says(&li, "回复", text)?;
    stage.letters(&world.replies(&li, &notice, text).await?)?;

    world.clock.advance(240 * MINUTE);
    stage.scene(world, "修好了，请张伟确认并评价。 / Fixed: Zhang Wei is asked to confirm and rate.")?;
    let text = "#步骤 更换搓纸轮，清洁进纸通道\n#解决\n搓纸轮已更换，连续打印 20 页正常。请您再试一下。";
    stage.says(&li, "回复", text)?;
    let letters = world.replies(&li, &notice, text).await?;
    stage.letters(&letters)?;
    let resolution = letter(&letters, "zhang.wei@example.com")?;
    let link = resolution.links("/s/").into_iter().next().context("the resolution letter has rating links")?;

    world.clock.advance(15 * MINUTE);
    stage.scene(world, "张伟点开链接，按下“满意”。 / Zhang Wei opens the link and presses \"satisfied\".")?;
    let letters = world.presses(&link, "satisfied").await?;
    stage.letters(&letters)?;
    stage.ticket(world, 1).await
}

/// A VPN in English: answered by the network engineer, one slip caught, closed by a mailed answer.
async fn vpn(world: &mut World, stage: &mut Stage<'_, impl std::io::Write>) -> Result<()> {
    let (alice, tom) = (person("alice@example.com", "Alice Brown"), person("tom@example.com", "Tom Baker"));
    stage.scene(world, "Alice cannot reach the office by VPN. / Alice 的 VPN 连不上。")?;
    let text = "Hi,\n\nmy VPN client shows error 809 since this morning, I work from home today.\nExtension 4417, Marketing.\n\nAlice";
    stage.says(&alice, "VPN does not connect", text)?;
    let letters = world.writes(&alice, "VPN does not connect", text).await?;
    stage.letters(&letters)?;
    let notice = letter(&letters, "tom@example.com")?.clone();

    world.clock.advance(4 * MINUTE);
    stage.scene(world, "Tom mistypes a command: nothing goes out, he is told. / 命令打错了：什么都不会发出去。")?;
    let text = "#reslove\nShe had the old profile again, tell nobody.";
    stage.says(&tom, "Re:", text)?;
    stage.letters(&world.replies(&tom, &notice, text).await?)?;

    world.clock.advance(2 * MINUTE);
    stage.scene(world, "This time it is right. / 这次写对了。")?;
    let text = "#resolve\nHi Alice, your VPN profile was out of date. I have pushed the new one: please restart the client and connect again.";
    stage.says(&tom, "Re:", text)?;
    let letters = world.replies(&tom, &notice, text).await?;
    stage.letters(&letters)?;
    let resolution = letter(&letters, "alice@example.com")?.clone();

    world.clock.advance(10 * MINUTE);
    stage.scene(world, "Alice just answers the mail. / Alice 直接回邮件评价。")?;
    stage.says(&alice, "Re:", "Very satisfied, thanks!")?;
    stage.letters(&world.replies(&alice, &resolution, "Very satisfied, thanks!").await?)?;
    stage.ticket(world, 2).await
}

/// The ERP is down: a senior engineer, a dissatisfied requester, a reopened ticket, an end in silence.
async fn erp(world: &mut World, stage: &mut Stage<'_, impl std::io::Write>) -> Result<()> {
    let (chen, zhou) = (person("chen.jing@example.com", "陈静"), person("zhou.qiang@example.com", "周强"));
    stage.scene(
        world,
        "ERP 整个部门都登不上：值班主管和高级工程师同时收到。 / The ERP is down for a department: a team is called.",
    )?;
    let text =
        "ERP 系统宕机了，我们财务部所有人都登录不上，今天要月结，非常急！\n报错：502 Bad Gateway\n分机 6020 陈静";
    stage.says(&chen, "ERP 宕机，财务部全部无法登录", text)?;
    let letters = world.writes(&chen, "ERP 宕机，财务部全部无法登录", text).await?;
    stage.letters(&letters)?;
    let notice = letter(&letters, "zhou.qiang@example.com")?.clone();

    let letters = world.passes(8 * MINUTE).await?;
    stage.scene(
        world,
        "八分钟没有人响应：提醒负责人。 / Nobody has answered for eight minutes: the lead is reminded.",
    )?;
    stage.letters(&letters)?;

    let letters = world.passes(4 * MINUTE).await?;
    stage.scene(world, "还是没有：值班主管也收到。 / Still nobody: the supervisor on duty hears of it, too.")?;
    stage.letters(&letters)?;

    stage.scene(
        world,
        "高级工程师周强认领并内部备注；备注发给小组，不会发给报障人。 / He takes it; his note reaches the team only.",
    )?;
    let text = "#认领\n#备注 应用服务器磁盘满了，先清日志，再查是谁打的 debug";
    stage.says(&zhou, "回复", text)?;
    stage.letters(&world.replies(&zhou, &notice, text).await?)?;

    let letters = world.passes(30 * MINUTE).await?;
    stage.scene(world, "半小时没给报障人消息：提醒周强。 / Half an hour without a word to her: he is reminded.")?;
    stage.letters(&letters)?;

    world.clock.advance(3 * MINUTE);
    stage.scene(world, "周强回复已恢复。 / Restored.")?;
    let text = "#解决\nERP 已恢复，请大家重新登录。原因是服务器磁盘写满，已清理。";
    stage.says(&zhou, "回复", text)?;
    let letters = world.replies(&zhou, &notice, text).await?;
    stage.letters(&letters)?;
    let resolution = letter(&letters, "chen.jing@example.com")?.clone();

    world.clock.advance(12 * MINUTE);
    stage.scene(
        world,
        "陈静不满意：换人、重开、主管知道。 / Not satisfied: somebody else, reopened, the supervisor knows.",
    )?;
    stage.says(&chen, "回复", "不满意，报表模块还是打不开。")?;
    let letters = world.replies(&chen, &resolution, "不满意，报表模块还是打不开。").await?;
    stage.letters(&letters)?;
    let again = letter(&letters, "wang.lei@example.com")?.clone();

    world.clock.advance(20 * MINUTE);
    let wang = person("wang.lei@example.com", "王磊");
    stage.scene(world, "接手的王磊解决了报表模块。 / The next engineer fixes the reports.")?;
    let text = "#解决\n报表服务也已重启，我这边导出正常，请再试。";
    stage.says(&wang, "回复", text)?;
    stage.letters(&world.replies(&wang, &again, text).await?)?;

    let letters = world.passes(DAY).await?;
    stage.scene(world, "一个工作日没有回音：提醒一次。 / Silence for a working day: one reminder.")?;
    stage.letters(&letters)?;

    let letters = world.passes(2 * DAY).await?;
    stage.scene(
        world,
        "再过两个工作日：关闭，不算满意。 / Two more working days: closed, never counted as satisfied.",
    )?;
    stage.letters(&letters)?;
    stage.ticket(world, 3).await
}
