"""mmdet's RoI-head and bbox-head protocols for heads that work on padded batches."""

from collections.abc import Sequence

import torch
from mmdet.models.utils import unpack_gt_instances
from mmdet.structures import SampleList
from mmdet.utils import InstanceList
from torch import Tensor

from ..structures import Proposals, bbox2roi
from . import lists
from .stock_targets import pad_sampling_results


class MMDetRoIHead:
    """The methods by which stock detectors of mmdet call a RoI head.

    Mixed into ``RoIHead``, which has ``losses``, ``detect`` and ``predict_regions``.
    """

    with_bbox = True
    with_mask = False
    with_shared_head = property(lambda self: self.shared_head is not None)

    def forward(self, x: Sequence[Tensor], rpn_results_list: InstanceList,
                batch_data_samples: SampleList | None = None) -> tuple:
        """Raw scores and deltas of given proposals."""
        proposals = lists.instances_to_proposals(rpn_results_list)
        cls_score, bbox_pred = self.predict_regions(x, bbox2roi(proposals.bboxes))
        real = proposals.mask.flatten()
        return cls_score[real], None if bbox_pred is None else bbox_pred[real]

    def loss(self, x: Sequence[Tensor], rpn_results_list: InstanceList,
             batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Losses on lists of proposals."""
        instances, _, _ = unpack_gt_instances(batch_data_samples)
        return self.losses(x, lists.instances_to_proposals(rpn_results_list),
                           lists.pack_ground_truth(instances))

    def predict(self, x: Sequence[Tensor], rpn_results_list: InstanceList,
                batch_data_samples: SampleList, rescale: bool = False) -> InstanceList:
        """Detections of each image from lists of proposals."""
        metas = [sample.metainfo for sample in batch_data_samples]
        detections = self.detect(x, lists.instances_to_proposals(rpn_results_list),
                                 lists.image_sizes(metas, x[0].device))
        if rescale:
            detections = lists.rescale_bboxes(detections, metas)
        return lists.detections_to_instances(detections)


class MMDetBBoxHead:
    """The methods by which stock RoI heads of mmdet call a bbox head.

    Mixed into ``BBoxHead``, which has ``losses`` and ``detections``.
    """

    with_cls = True
    predict_box_type = 'hbox'  # mmdet's name for boxes with sides along the axes

    def loss_and_target(self, cls_score: Tensor, bbox_pred: Tensor, rois: Tensor,
                        sampling_results: list, rcnn_train_cfg: dict,
                        **kwargs) -> dict:
        """Targets from mmdet's sampling results, then the losses."""
        samples = pad_sampling_results(
            sampling_results, self.num_classes, self.bbox_coder)
        # mmdet's rows have no padding in between
        labels, deltas = samples.labels[samples.mask], samples.deltas[samples.mask]
        mask = torch.ones_like(labels, dtype=torch.bool)
        losses = self.losses(cls_score, bbox_pred, labels, deltas, mask)
        return dict(loss_bbox=losses, bbox_targets=(labels, mask, deltas, mask))

    def predict_by_feat(self, rois: Sequence[Tensor], cls_scores: Sequence[Tensor],
                        bbox_preds: Sequence[Tensor | None], batch_img_metas: list,
                        rcnn_test_cfg: dict | None = None,
                        rescale: bool = False) -> InstanceList:
        """Detections of each image from lists of predictions.

        Args:
            rois: (n_i, 5) regions of each image.
            cls_scores: (n_i, C + 1) logits of each image.
            bbox_preds: (n_i, 4 C) deltas of each image, or None.
            batch_img_metas: ``img_shape`` and ``scale_factor`` of each image.
            rcnn_test_cfg: ``score_thr``, ``nms``, ``max_per_img``.
            rescale: Whether boxes are wanted in pixels of the original images.
        """
        bboxes, mask = lists.pad_rows([roi[:, 1:] for roi in rois])
        logits, _ = lists.pad_rows(list(cls_scores))
        deltas = lists.pad_rows(list(bbox_preds))[0] if self.with_reg else None
        detections = self.detections(
            logits, deltas, Proposals(bboxes, mask.float(), mask),
            lists.image_sizes(batch_img_metas, bboxes.device), rcnn_test_cfg)
        if rescale:
            detections = lists.rescale_bboxes(detections, batch_img_metas)
        return lists.detections_to_instances(detections)
