//! nginx with the module nchan, one worker, with the configuration in `bench/peers/nchan`.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use async_trait::async_trait;

use super::http_peer::HttpPeer;
use super::{Running, System};
use crate::child::{Child, Program, find_program, free_address};
use crate::context::Context;

/// Where Debian puts the module.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
/// `id: 1763725001:0`, the event's type and the lines' ends.
const FRAMING: usize = "id: 1763725001:0\nevent: settlement.status_changed\ndata: \n\n".len();

/// nginx with nchan.
pub struct Nchan {
    /// Messages that it keeps for readers that come later.
    pub kept: usize,
    /// Whether a new reader is first given all of those.
    pub from_oldest: bool,
}

impl Default for Nchan {
    fn default() -> Self {
        Self { kept: 100, from_oldest: false }
    }
}

impl Nchan {
    fn write_configuration(
        &self,
        context: &Context,
        address: SocketAddr,
    ) -> anyhow::Result<std::path::PathBuf> {
        let prefix = context.run_folder.join(format!("nginx-{}", address.port()));
        std::fs::create_dir_all(&prefix)?;
        let template = context.bench_folder.join("peers/nchan/nginx.conf");
        let text = std::fs::read_to_string(&template)
            .with_context(|| format!("cannot read {}", template.display()))?
            .replace("@MODULE@", MODULE)
            .replace("@PREFIX@", &prefix.to_string_lossy())
            .replace("@PORT@", &address.port().to_string())
            .replace("@FILES@", &context.open_files.to_string())
            .replace("@BUFFER@", &self.kept.to_string())
            .replace("@FIRST@", if self.from_oldest { "oldest" } else { "newest" });
        let file = prefix.join("nginx.conf");
        std::fs::write(&file, text)?;
        Ok(file)
    }
}

#[async_trait(?Send)]
impl System for Nchan {
    fn name(&self) -> &'static str {
        "nginx + nchan"
    }

    fn missing(&self, _: &Context) -> Option<String> {
        (find_program("nginx").is_none() || !Path::new(MODULE).exists())
            .then(|| "nginx with nchan is not installed (Debian: nginx-light, libnginx-mod-nchan)".to_owned())
    }

    async fn start(&self, context: &Context) -> anyhow::Result<Box<dyn Running>> {
        let nginx = find_program("nginx").context("nginx is missing")?;
        let address = free_address()?;
        let configuration = self.write_configuration(context, address)?;
        let folder = configuration.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
        let program = Program::new(&nginx)
            .argument("-p")
            .argument(folder.clone())
            .argument("-e")
            .argument(format!("{folder}/error.log"))
            .argument("-c")
            .argument(configuration.to_string_lossy());
        let mut child = Child::start(&context.cores.server, &program, context.log("nginx"))?;
        child.until_listening(address).await?;
        let clock = context.clock.clone();
        Ok(Box::new(HttpPeer { child, helper: None, address, clock, framing: FRAMING }))
    }
}
