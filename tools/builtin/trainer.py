"""One worker of a training run: its networks, its steps, its checkpoints.

The whole state is (generator, its average, critic, two Adam states, images seen, seconds spent). Rank 0
writes; every rank reads the same file, so all start equal, and averaged gradients keep them equal.
"""

import argparse
import csv
import signal
import time
from pathlib import Path

import torch
from torch import Tensor, distributed
from torch.nn.utils import parametrize

import losses
from critic import Critic, Features
from network import Generator, Sizes, grow
from records import Records
from sheets import sample, save_sheet, seeds_to_z
from teachers import WHOLE, draw
from train import scheduled
from window import Window

__all__ = ["Trainer"]

BETAS = (0.0, 0.99)
AVERAGE_STEPS = 625
"""Half-life of the average."""
MAX_STEP_SECONDS = 120.0
"""A step that seems to take longer was paused, and the rest of it does not count."""
RAMP_STEPS = 190
PATIENCE = 20
"""Steps after which to wait for the GPU, which otherwise does them later than the clock says."""
CROWD = 240
"""Earlier images that new ones are compared with."""
CROSSOVERS = (5, 6, 7, 8, 9)
MIN_NOISE_SIZE = 32
"""Pixels of the first octave with noise: teachers have no random texture that is coarser."""
WEIGHTS = {
    "variety": 0.5,
    "layouts": 4.0,
    "outlines": 20.0,
    "hues": 20.0,
    "crowding": 2.0,
    "structure": 0.5,
    "palette": 1.0,
    "tones": 2.0,
    "glints": 0.5,
    "fringes": 1.0,
    "seams": 4.0,
    "excess": 1.0,
    "faith": 10.0,
}
COLUMNS = ("kimg", "hours", "images_per_second", "resolution", "critic", "real", "fake", *WEIGHTS, "noise")
"""Of the log; terms that a grown generator does not have stay empty."""


class Trainer:
    """A worker; ``run`` returns why it ended: done, grow or stopped."""

    def __init__(self, options: argparse.Namespace, folder: Path, rank: int) -> None:
        self.options, self.folder, self.rank = options, folder, rank
        self.share = options.batch // options.workers
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.half = halves(self.device)
        self.begun = time.monotonic()
        state = self.restore()
        self.images, self.seconds, self.since = state["images"], state["seconds"], state["since"]
        self.sizes = Sizes(scheduled(options, self.images / 1000))
        torch.manual_seed(options.seed)
        self.features = Features().to(self.device)
        if self.device.type == "cuda":
            self.features.to(torch.bfloat16)  # once, not in every step
        self.build(state)
        climb = self.generator.synthesis.climb
        self.climb = torch.compile(climb, dynamic=False) if options.compile else climb
        torch.manual_seed(1000 * options.seed + rank + self.images)
        self.chance = torch.Generator(self.device).manual_seed(7919 * options.seed + rank + self.images)
        self.fill_portraits()
        self.records = Records(self.chance) if self.device.type == "cuda" else None
        self.tally: dict[str, Tensor] = {}
        self.stopping = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self.stop)

    def stop(self, _signal: int, _frame: object) -> None:
        """Finish this step, save and end."""
        self.stopping = True

    def restore(self) -> dict:
        """Read the latest checkpoint, or return the state of a new run."""
        latest = self.folder / "latest.pt"
        if latest.exists():
            return torch.load(latest, weights_only=True, map_location=self.device)
        start = {
            "images": 0,
            "seconds": 0.0,
            "since": 0,
            "norms": {},
            "resolution": self.options.resolution,
        }
        if self.options.start:
            card = native_card(self.options.start)
            start["images"] = start["since"] = round(1000 * float(card["kimg"]))
            start["seconds"] = 3600 * float(card["training_hours"])
        return start

    def build(self, state: dict) -> None:
        """Build all networks and optimisers and load the state into them, grown if due.

        After growth, training continues from the average, and with a new critic, which now sees windows.
        """
        grown = state["resolution"] != self.sizes.resolution
        self.generator = Generator(self.sizes).to(self.device, memory_format=torch.channels_last)
        start = self.start_weights()
        known = state.get("average" if grown else "generator", start)
        if known:
            self.generator.load_state_dict(grow(known, self.sizes, waiting=start))
        self.average = Generator(self.sizes).to(self.device).requires_grad_(False)
        kept = {} if grown else state.get("average", {})
        self.average.load_state_dict(self.generator.state_dict() | kept)
        for net in (self.generator, self.average):
            self.bound_noise(net)
        self.critic = Critic(seed=self.options.seed)
        self.critic.to(self.device, memory_format=torch.channels_last)
        for name, parameter in self.generator.named_parameters():
            parameter.requires_grad_(self.learns(name))
        self.generator_steps, self.critic_steps = self.adam(self.generator), self.adam(self.critic)
        self.norms: dict[str, Tensor] = {} if grown else state["norms"]
        if grown:
            self.since = self.images
        if grown or "critic" not in state:
            source = torch.Generator(self.device).manual_seed(0)
            shown = torch.cat([self.draw_teacher(16, source, self.window()) for _ in range(4)])
            with self.half:
                self.critic.mixing.calibrate(self.features(shown))
        else:
            self.critic.load_state_dict(state["critic"])
            for name in ("generator_steps", "critic_steps"):
                steps = getattr(self, name)
                own = {"param_groups": steps.state_dict()["param_groups"]}
                steps.load_state_dict(state[name] | own)
        self.generator_pace, self.critic_pace = (
            steps.param_groups[0]["lr"] for steps in (self.generator_steps, self.critic_steps)
        )

    def adam(self, net: torch.nn.Module) -> torch.optim.Adam:
        """Return an optimiser whose rate is a tensor, so that a recorded step reads today's."""
        gpu = self.device.type == "cuda"
        pace = torch.zeros((), device=self.device)
        return torch.optim.Adam(net.parameters(), lr=pace, betas=BETAS, fused=True, capturable=gpu)

    def start_weights(self) -> dict[str, Tensor]:
        """Read the weights to start from; their octaves above the present size wait until the run grows."""
        if not self.options.start:
            return {}
        from safetensors.torch import load_file

        held = load_file(self.options.start, device=str(self.device))
        return {name: value.float() for name, value in held.items()}

    def learns(self, name: str) -> bool:
        """Return whether a parameter learns: those that rest do not, nor, once grown, those before."""
        octave = int(name.split(".")[1][1:]) if name.startswith("synthesis") else 0
        resting = self.options.resolution if self.grown else self.options.rest
        return octave > resting or not resting

    @property
    def grown(self) -> bool:
        """Whether there are octaves above those the run started with."""
        return self.sizes.resolution > self.options.resolution

    def window(self) -> Window | None:
        """Choose what to generate and draw in this step: the whole image or, once grown, a window."""
        return Window.anywhere(self.sizes.resolution, self.options.resolution) if self.grown else None

    def draw_teacher(self, count: int, source: torch.Generator, window: Window | None) -> Tensor:
        """Draw new teacher images, or a window of them."""
        part = window.seen if window else WHOLE
        return draw(self.options.family, count, self.sizes.resolution, source, part)

    def rate(self) -> float:
        """Return the generator's learning rate: 0 while the critic warms up, then a ramp."""
        if "generator" not in self.origin:
            return self.options.generator_rate
        images = self.images - self.since - 1000 * self.options.warmup_kimg
        return self.options.generator_rate * min(max(images / (RAMP_STEPS * self.options.batch), 0.0), 1.0)

    def cooling(self) -> float:
        """Return by what to multiply both rates: 1, and falling to 0 in the last ``--cool`` of the time."""
        left = 1 - (time.monotonic() - self.begun) / self.options.seconds
        return min(max(left / max(self.options.cool, 1e-9), 0.0), 1.0)

    @property
    def origin(self) -> str:
        """Whether the weights started from others ("generator") or at random ("")."""
        return "generator" if self.options.start or self.since else ""

    def run(self) -> str:
        """Step until done, stopped or due to grow."""
        clock, saved = time.monotonic(), time.monotonic()
        sheet = self.images // (1000 * self.options.sheet_kimg)
        steps = 0
        while True:
            self.advance()
            steps += 1
            if self.records and steps % PATIENCE == 0:
                torch.cuda.synchronize()
            now = time.monotonic()
            self.seconds, clock = self.seconds + min(now - clock, MAX_STEP_SECONDS), now
            outcome = self.outcome()
            if outcome or now - saved > 60 * self.options.save_minutes:
                totals = dict(zip(self.tally, torch.stack(list(self.tally.values())).tolist(), strict=True))
                rate = steps * self.options.batch / max(time.monotonic() - saved, 1e-9)
                self.save({name: value / steps for name, value in totals.items()}, rate)
                torch._foreach_zero_(list(self.tally.values()))
                steps, saved = 0, now
            if self.images // (1000 * self.options.sheet_kimg) > sheet or outcome:
                sheet = self.images // (1000 * self.options.sheet_kimg)
                self.show()
            if outcome:
                return outcome

    def outcome(self) -> str:
        """Return why to end now, or nothing; the same on every rank."""
        late = time.monotonic() - self.begun > self.options.seconds
        flag = torch.tensor([float(self.stopping), float(late)])
        if self.options.workers > 1:
            distributed.all_reduce(flag)
        stopping, late = flag.tolist()
        if stopping:
            return "stopped"
        if late or self.images >= 1000 * self.options.kimg:
            return "done"
        return "grow" if scheduled(self.options, self.images / 1000) != self.sizes.resolution else ""

    def advance(self) -> None:
        """Take one step at today's rates: run it, or replay one recorded."""
        rate, cooling = self.rate(), self.cooling()
        self.generator_pace.fill_(rate * cooling)
        self.critic_pace.fill_(self.options.critic_rate * cooling)
        if self.records and rate > 0:
            self.records.take(self.step)
        else:
            self.step(train=rate > 0)
        if rate > 0:
            self.update_average()
        self.images += self.options.batch

    def step(self, *, train: bool = True) -> None:
        """Generate one batch and draw another; train the critic, then the generator.

        Nothing here waits for the device, and what lasts is changed in place, so that it can be recorded.
        """
        window = self.window()
        batch, fake, under = self.generate(window, train=train)
        with self.half:
            seen = self.critic.look(fake, self.features)
        real = self.draw_teacher(self.share, self.chance, window)
        with torch.no_grad(), self.half:
            truth = self.critic.look(real, self.features)
        report = self.teach_critic(truth, seen)
        self.update_norms(real)
        report |= self.teach_generator(batch, (fake, under, window), seen, train=train)
        self.tally = self.tally or {name: torch.zeros_like(value) for name, value in report.items()}
        torch._foreach_add_(list(self.tally.values()), [value.detach() for value in report.values()])

    def update_norms(self, real: Tensor) -> None:
        """Update running means of the teacher's own statistics, which the loss terms aim at."""
        found = {"glints": losses.glints(real), "fringes": losses.fringes(real)}
        if not self.grown:
            described = losses.describe(real)
            found |= {
                "spread": losses.thumbnail_distance(real),
                "alikeness": losses.mean_correlation(described.structure),
                "outlines": losses.rms_correlation(described.outlines),
                "hues": losses.rms_correlation(described.hues),
                "crowding": losses.crowding(described.portrait, self.others["teacher"]),
                "tones": losses.tones(real),
            }
        self.norms = self.norms or {name: value.clone() for name, value in found.items()}
        torch._foreach_lerp_([self.norms[name] for name in found], list(found.values()), 0.02)

    def generate(self, window: Window | None, *, train: bool) -> tuple[losses.Mixed, Tensor, Tensor | None]:
        """Generate one share of a batch with random noise, a quarter of it with mixed styles."""
        with torch.set_grad_enabled(train):
            w = self.generator.mapping(torch.randn(self.share, self.sizes.z_dim, device=self.device))
            last = self.sizes.num_ws - 2
            crossover = (
                CROSSOVERS[int(torch.randint(len(CROSSOVERS), ()))] if last > max(CROSSOVERS) else last // 2
            )
            batch = losses.mix(w[:, None].expand(-1, self.sizes.num_ws, -1), crossover=crossover)
            if self.learns("mapping"):
                self.average.mapping.w_avg.lerp_(w.detach().mean(0), 0.002)
            with self.half:
                return batch, *self.paint(batch.ws, window)

    def paint(self, ws: Tensor, window: Window | None) -> tuple[Tensor, Tensor | None]:
        """Generate a whole batch, or a window of its upper octaves and the image under it."""
        synthesis = self.generator.synthesis
        base, octaves = synthesis.base(len(ws)), synthesis.resolutions
        if window is None:
            return self.climb(octaves, base, ws, synthesis.noises(len(ws)))[1], None
        resting = octaves.index(self.options.resolution) + 1
        noises = synthesis.noises(len(ws), cut={r: window.side(r) for r in octaves[resting:]})
        with torch.no_grad():
            below = self.climb(octaves[:resting], base, ws, noises)
        cut = [x[..., *window.cells].contiguous(memory_format=torch.channels_last) for x in below]
        image = self.climb(octaves[resting:], cut, ws, noises)[1][..., *window.kept]
        return image, below[1][..., *window.under]

    def teach_critic(self, truth: dict, seen: dict) -> dict[str, Tensor]:
        """Take one step of the critic on detached features."""
        self.critic.train().requires_grad_(True)
        detached = {name: [x.detach() for x in maps] for name, maps in seen.items()}
        with parametrize.cached():
            self.critic.normalise()
            with self.half:
                real, fake = self.critic(truth), self.critic(detached)
        loss = losses.hinge(real, fake)
        self.critic_steps.zero_grad()
        loss.backward()
        self.average_gradients(self.critic)
        self.critic_steps.step()
        logits = {"real": real, "fake": fake}
        means = {name: torch.stack([x.mean() for x in maps]).mean() for name, maps in logits.items()}
        return {"critic": loss, **means}

    def teach_generator(
        self,
        batch: losses.Mixed,
        painted: tuple[Tensor, Tensor | None, Window | None],
        seen: dict,
        *,
        train: bool,
    ) -> dict[str, Tensor]:
        """Take one step of the generator through the same features."""
        fake, under, window = painted
        self.critic.eval().requires_grad_(False)  # spectral norms as the critic's step left them
        terms = {
            "glints": losses.glint_gap(fake, self.norms["glints"]),
            "fringes": losses.fringe_gap(fake, self.norms["fringes"]),
            "seams": losses.seams(fake, window.borders if window else range(4)),
            "excess": losses.excess(fake),
        }
        if under is not None:
            terms["faith"] = losses.faith(fake, under)
        else:
            pure = losses.describe(fake[: batch.mixed.start])
            terms |= {
                "variety": (1 - losses.thumbnail_distance(fake) / self.norms["spread"]).relu(),
                "layouts": (losses.mean_correlation(pure.structure) - self.norms["alikeness"]).relu(),
                "outlines": (losses.rms_correlation(pure.outlines) - self.norms["outlines"]).relu(),
                "hues": (losses.rms_correlation(pure.hues) - self.norms["hues"]).relu(),
                "crowding": (self.crowding(pure.portrait) - self.norms["crowding"]).relu(),
                "structure": losses.structure_gap(fake[batch.mixed], fake[batch.structure].detach()),
                "palette": losses.palette_gap(fake[batch.mixed], fake[batch.palette].detach()),
                "tones": (losses.tones(fake) - self.norms["tones"]).abs().mean(),
            }
        if train:
            with parametrize.cached():
                self.critic.normalise()
                with self.half:
                    judged = self.critic(seen)
            verdict = -torch.stack([x.mean() for x in judged]).mean()
            self.generator_steps.zero_grad()
            (verdict + sum(WEIGHTS[name] * term for name, term in terms.items())).backward()
            self.average_gradients(self.generator)
            self.generator_steps.step()
            self.bound_noise(self.generator)
        return terms

    @torch.no_grad()
    def fill_portraits(self) -> None:
        """Compute descriptors of ``CROWD`` images of the teacher and of the generator."""
        few = 16
        source = torch.Generator(self.device).manual_seed(0)
        shown, painted = [], []
        for _ in range(0 if self.grown else CROWD // few):
            shown.append(losses.portrait(self.draw_teacher(few, source, None)))
            z = torch.randn(few, self.sizes.z_dim, device=self.device)
            painted.append(losses.portrait(self.generator(z, noise="random")))
        self.others = {"teacher": torch.cat(shown), "generator": torch.cat(painted)} if shown else {}

    def crowding(self, portraits: Tensor) -> Tensor:
        """Compare new descriptors with those of the last images generated, which they then join."""
        before = self.others["generator"].clone()
        self.others["generator"].copy_(torch.cat((before, portraits.detach()))[-CROWD:])
        return losses.crowding(portraits, before)

    @torch.no_grad()
    def bound_noise(self, net: Generator) -> None:
        """Keep noise above the floor where it is texture, and at 0 where it would be structure."""
        for conv in net.synthesis.convolutions():
            if conv.noise_const.shape[-1] < MIN_NOISE_SIZE:
                conv.noise_strength.zero_()
            else:
                conv.noise_strength.clamp_(min=self.options.noise_floor)

    @torch.no_grad()
    def update_average(self) -> None:
        """Update the average, which at first forgets faster."""
        steps = (self.images - self.since) / self.options.batch
        keep = 0.5 ** (1 / min(AVERAGE_STEPS, max(steps / 5, 3)))
        pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
        kept, fresh = zip(*(pair for pair in pairs if pair[1].requires_grad), strict=True)
        torch._foreach_lerp_(kept, fresh, 1 - keep)

    def average_gradients(self, net: torch.nn.Module) -> None:
        """Average the gradients of all workers, in one message."""
        found = [p.grad for p in net.parameters() if p.grad is not None]
        message = torch.cat([g.flatten() for g in found])
        if self.options.workers > 1:
            distributed.all_reduce(message)
            message /= self.options.workers
        message.nan_to_num_(0.0, 0.0, 0.0)
        parts = message.split([g.numel() for g in found])
        torch._foreach_copy_(found, [part.view_as(g) for part, g in zip(parts, found, strict=True)])

    def save(self, report: dict[str, float], rate: float) -> None:
        """Write the checkpoint and one line of the log (rank 0)."""
        if self.rank:
            return
        state = {
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "critic": self.critic.state_dict(),
            "generator_steps": self.generator_steps.state_dict(),
            "critic_steps": self.critic_steps.state_dict(),
            "resolution": self.sizes.resolution,
            **{name: getattr(self, name) for name in ("images", "seconds", "since", "norms")},
        }
        part = self.folder / "latest.part"
        torch.save(state, part)
        part.replace(self.folder / "latest.pt")
        self.log(report, rate)

    def log(self, report: dict[str, float], rate: float) -> None:
        """Append to log.csv: kimg, hours, images a second, and the means since the last line."""
        strengths = [conv.noise_strength.item() for conv in self.generator.synthesis.convolutions()]
        row = {
            "kimg": self.images / 1000,
            "hours": self.seconds / 3600,
            "images_per_second": rate,
            "resolution": self.sizes.resolution,
            **report,
            "noise": sum(strengths) / len(strengths),
        }
        path = self.folder / "log.csv"
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow({name: round(value, 4) for name, value in row.items()})
        print({name: round(value, 4) for name, value in row.items()}, flush=True)

    def show(self) -> None:
        """Draw a contact sheet, teacher above, and store the average's weights (rank 0)."""
        if self.rank:
            return
        name = f"{self.images // 1000:06d}"
        teacher = draw(self.options.family, 8, self.sizes.resolution, torch.Generator().manual_seed(5))
        made = sample(self.average, seeds_to_z(range(32), self.sizes.z_dim).to(self.device)).cpu()
        save_sheet(self.folder / "sheets" / f"{name}.png", torch.cat((teacher, made)))
        torch.save(self.average.state_dict(), self.folder / "ema" / f"{name}.part")
        (self.folder / "ema" / f"{name}.part").replace(self.folder / "ema" / f"{name}.pt")


def native_card(path: Path) -> dict[str, str]:
    """Read the card of a native file."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return file.metadata()


def halves(device: torch.device) -> torch.autocast:
    """Return autocast to bf16 where the hardware has it; else it does nothing."""
    known = torch.cpu.get_capabilities()
    native = device.type == "cuda" or known.get("avx512_bf16") or known.get("amx_bf16")
    return torch.autocast(device.type, torch.bfloat16, enabled=bool(native))
