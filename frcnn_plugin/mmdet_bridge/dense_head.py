"""mmdet's dense-head protocol for an RPN that works on padded batches."""

from collections.abc import Sequence

from mmdet.models.utils import unpack_gt_instances
from mmdet.structures import SampleList
from mmdet.utils import InstanceList
from torch import Tensor

from ..registry import TASK_UTILS
from . import lists
from .settings import proposal_settings


class MMDetDenseHead:
    """The methods by which stock detectors of mmdet call an RPN.

    Mixed into ``RPNHead``. Nothing is computed here: lists are padded, the head is
    called, and the padding is cut off.
    """

    def loss(self, x: Sequence[Tensor], batch_data_samples: SampleList) -> dict:
        """Losses of a batch of ``DetDataSample``."""
        instances, _, metas = unpack_gt_instances(batch_data_samples)
        return self.loss_by_feat(*self(x), instances, metas)

    def predict(self, x: Sequence[Tensor], batch_data_samples: SampleList,
                rescale: bool = False) -> InstanceList:
        """Proposals of each image, as ``bboxes``, ``scores`` and ``labels``."""
        metas = [sample.metainfo for sample in batch_data_samples]
        return self.predict_by_feat(*self(x), batch_img_metas=metas, rescale=rescale)

    def loss_and_predict(self, x: Sequence[Tensor], batch_data_samples: SampleList,
                         proposal_cfg: dict | None = None
                         ) -> tuple[dict, InstanceList]:
        """Losses, and the proposals of each image for the second stage."""
        instances, _, metas = unpack_gt_instances(batch_data_samples)
        proposals, losses = self.run(
            x, lists.image_sizes(metas, x[0].device), training=True,
            gt=lists.pack_ground_truth(instances),
            creator=self.creator_for(proposal_cfg))
        return losses, lists.proposals_to_instances(proposals)

    def loss_by_feat(self, cls_scores: Sequence[Tensor], bbox_preds: Sequence[Tensor],
                     batch_gt_instances: InstanceList, batch_img_metas: list[dict],
                     batch_gt_instances_ignore: InstanceList | None = None) -> dict:
        """Losses from the maps of ``forward``; boxes to ignore are not read."""
        outputs = self.gather_outputs(cls_scores, bbox_preds)
        sizes = lists.image_sizes(batch_img_metas, outputs.logits.device)
        targets = self.assign_targets(
            outputs, lists.pack_ground_truth(batch_gt_instances), sizes)
        return self.losses(outputs, targets)

    def predict_by_feat(self, cls_scores: Sequence[Tensor],
                        bbox_preds: Sequence[Tensor], score_factors=None,
                        batch_img_metas: list[dict] | None = None,
                        cfg: dict | None = None, rescale: bool = False,
                        with_nms: bool = True) -> InstanceList:
        """Proposals from the maps of ``forward``."""
        outputs = self.gather_outputs(cls_scores, bbox_preds)
        sizes = lists.image_sizes(batch_img_metas, outputs.logits.device)
        proposals = self.select_proposals(
            outputs, sizes, training=self.training, creator=self.creator_for(cfg))
        if rescale:
            proposals = lists.rescale_bboxes(proposals, batch_img_metas)
        return lists.proposals_to_instances(proposals)

    def creator_for(self, cfg: dict | None):
        """A creator with settings that a stock detector hands over.

        None, for the head's own creator, if there are none, or if the head was built
        with a creator of its own or without ``test_cfg``.
        """
        if cfg is None or self.has_own_creator:
            return None
        creator = TASK_UTILS.build(proposal_settings(cfg))
        creator.nms = self.proposal_creator.nms
        return creator
