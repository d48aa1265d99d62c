# The way from study folders to figures/, one notebook after another. Read by make paper.

# --- what was asked for, checked before anything runs -------------------------------------------------------------
PROFILES   := smoke demo long paper
# Notebooks that wait for each other run one after another, the rest two at a time; training uses every core by itself.
MAKEFLAGS  += -j2
CONDITIONS := one_quarter one_entire all_entire
stop = $(error $(1))

ifneq ($(words $(PROFILE)) $(filter-out $(PROFILES),$(PROFILE)),1 )
$(call stop,PROFILE=$(PROFILE) is not a profile: choose one of $(PROFILES))
endif
ifneq ($(shell [[ $(call q,$(SEED)) =~ ^[0-9]{1,9}$$ ]] && echo yes),yes)
$(call stop,SEED=$(SEED) is not a whole number from 0 to 999999999)
endif

ifneq ($(shell [[ $(call q,$(SEEDS)) =~ ^[1-9][0-9]{0,2}$$ ]] && echo yes),yes)
$(call stop,SEEDS=$(SEEDS) is not a whole number from 1 to 999)
endif
ifneq ($(filter-out 0 1,$(CONFIRM)),)
$(call stop,CONFIRM=$(CONFIRM) is neither 0 nor 1)
endif

ifneq ($(filter-out 0 1,$(SIMULATE)),)
$(call stop,SIMULATE=$(SIMULATE) is neither 0 nor 1)
endif
ifneq ($(DATA),)
ifneq ($(filter-out open synthetic-1,$(DATA))$(word 2,$(DATA)),)
$(call stop,DATA=$(DATA) is not known: DATA=open takes the open recordings of real people and DATA=synthetic-1 the SYNTHETIC studies of generator 1 and no DATA those of generator 2)
endif
ifneq ($(STUDY),)
$(call stop,DATA=$(DATA) and STUDY=$(STUDY) are two choices of studies: give one of them)
endif
endif
ifneq ($(DATA),open)
ifeq ($(SIMULATE),1)
$(call stop,SIMULATE=1 simulates the open recordings and needs DATA=open: give both or neither)
endif
endif

ifneq ($(words $(BUILD)),1)
$(call stop,BUILD=$(BUILD) has a space in it, which make cannot handle: give another folder)
endif
ifneq ($(shell printf %s $(call q,$(value BUILD)) | LC_ALL=C tr -d 'A-Za-z0-9._/+@=~\200-\377-'),)
$(call stop,BUILD=$(value BUILD) has a sign in it that make or the shell would take for one of its own: give another folder)
endif

ifeq ($(DATA),open)
STUDIES := children runner
RUN     := $(BUILD)/open-$(PROFILE)-seed$(SEED)
else ifeq ($(STUDY),)
STUDIES := walking running
RUN     := $(BUILD)/$(if $(DATA),$(DATA)-)$(PROFILE)-seed$(SEED)
else
ifneq ($(shell test -f $(call q,$(STUDY)/study.toml) && echo yes),yes)
$(call stop,STUDY=$(STUDY) holds no study.toml: give the folder of a study (README.md shows one))
endif
# A study's pages and intermediate files carry its folder's name; its own name is written in study.toml.
STUDIES := study-$(call slug,$(STUDY))
RUN     := $(BUILD)/$(PROFILE)-seed$(SEED)-$(STUDIES)-$(firstword $(shell realpath -- $(call q,$(STUDY)) | cksum))
endif

SITE := $(RUN)/site
ifeq ($(OUT),)
override OUT := $(if $(STUDY)$(filter smoke,$(PROFILE)),$(RUN)/figures,$(if $(DATA),$(if $(filter open,$(DATA)),figures/people,$(RUN)/figures),figures))
endif
ifeq ($(PROFILE),smoke)
ifeq ($(shell [[ "$$(realpath -m -- $(call q,$(OUT)))/" == "$$(realpath -m figures)"/* ]] && echo yes),yes)
$(call stop,the smoke profile is a test and never writes into figures/: leave OUT out or give another folder)
endif
endif

# --- stamps: rewritten only when their content changes, so that make sees a change of parameters as a change of file --
keep = $(shell mkdir -p '$(dir $(1))'; ( $(2) ) > '$(1).new'; cmp -s '$(1).new' '$(1)' && rm '$(1).new' || mv '$(1).new' '$(1)')
PARAMETERS := $(RUN)/parameters.txt
$(call keep,$(PARAMETERS),echo 'PROFILE=$(PROFILE) SEED=$(SEED)'; cksum < requirements.lock)
ENSEMBLE := $(RUN)/seeds.txt
$(call keep,$(ENSEMBLE),echo 'SEEDS=$(SEEDS)')
ifneq ($(DATA),)
SOURCE := $(RUN)/data.txt
$(call keep,$(SOURCE),echo 'DATA=$(DATA) SIMULATE=$(SIMULATE)')
endif
ifneq ($(STUDY),)
SOURCE := $(RUN)/study.txt
$(call keep,$(SOURCE),cd -- $(call q,$(STUDY)) && find -L . -type f -printf '%P %s %T@\n' | LC_ALL=C sort)
endif

# What OUT last held; forgotten when it is another run's turn or when the folder was emptied.
PUBLISHED := $(BUILD)/published/$(firstword $(shell realpath -m -- $(call q,$(OUT)) | cksum))
$(shell test -f $(call q,$(OUT)/index.html) && grep -qsxF '$(RUN)' '$(PUBLISHED)' || rm -f '$(PUBLISHED)' '$(PUBLISHED).free')

# --- code: a page is made again when a file has changed that its notebook runs ----------------------------------------
files    = $(sort $(shell find $(1) -name '*.py' -o -name '*.csv' -o -name '*.toml' -o -name '*.css' -o -name '*.js' -o -name '*.html' -o -name '*.j2' -o -name '*.json' -o -name '*.xz'))
# Written by the runner beside each page (nem2e_lib/paper/reads.py), from what the code imports.
-include $(wildcard $(RUN)/reads/*.mk)
# What OpenSim is given counts only where it is run; people.py takes its outcome, too.
ifneq ($(SIMULATE),1)
UNRUN := $(filter-out %/people.py,$(call files,nem2e_lib/simulate))
endif
.PHONY: unknown
# $(call told,page): all of it. $(call code,page): what of it counts in this run.
told = $(or $(READS_$(1)),unknown)
code = $(filter-out $(UNRUN),$(call told,$(1)))

# Programs of this run share one import, in a process that ends with make; make paper NEM2E_WARM= goes without.
WARM := $(PY) -m nem2e_lib.paper.warm
NEM2E_WARM := $(shell realpath -m -- '$(BUILD)')/warm/$(shell echo $$PPID-$$(date +%s))
export NEM2E_WARM
export NEM2E_COSTS := $(shell realpath -m -- '$(RUN)')/costs.csv
export NEM2E_WARM_OWNER := $(shell echo $$PPID)

# $(call run,notebook,page,parameters): the page appears only when every cell has succeeded.
run = $(WARM) nem2e_lib.paper.notebooks notebooks/$(1).ipynb '$(SITE)/$(2).html' \
  --executed '$(RUN)/executed/$(2).ipynb' --reads '$(RUN)/reads/$(2).mk' -p folder '$(RUN)' $(3)

.PHONY: paper
paper: $(PUBLISHED)

# Whether OUT may be written is asked before hours of training, not after.
$(PUBLISHED).free: | $(SETUP)
	@$(WARM) nem2e_lib.paper.finish check $(call q,$(OUT))
	@mkdir -p '$(@D)'
	@touch '$@'

$(RUN)/run.json $(SITE)/01_download.html &: notebooks/01_download.ipynb $(call code,01_download) $(PARAMETERS) $(SOURCE) | $(SETUP) $(if $(filter 1,$(SIMULATE)),$(EXTRAS)) $(PUBLISHED).free
	@$(call run,01_download,01_download,-p profile $(PROFILE) -p seed $(SEED) -p study $(call q,$(STUDY)) -p name '$(if $(STUDY),$(STUDIES))' \
	  -p data '$(DATA)' -p simulate $(if $(filter 1,$(SIMULATE)),True,False))

# $(call segmenting,study)
define segmenting
$(RUN)/$(1)/cycles.nc $(RUN)/$(1)/segments.csv $(SITE)/02_segment_$(1).html &: notebooks/02_segment.ipynb $(RUN)/run.json $(call code,02_segment_$(1))
	@$$(call run,02_segment,02_segment_$(1),-p study $(1))
endef
$(foreach study,$(STUDIES),$(eval $(call segmenting,$(study))))

# $(call training,study,condition); each waits for the one before it, whether or not that one has anything to do.
BEFORE :=
define training
$(RUN)/$(1)/$(2).nc $(SITE)/03_train_$(1)_$(2).html &: notebooks/03_train.ipynb $(RUN)/$(1)/cycles.nc $(call code,03_train_$(1)_$(2)) $(ENSEMBLE) | $(BEFORE)
	@$$(call run,03_train,03_train_$(1)_$(2),-p study $(1) -p condition $(2) -p seeds $(SEEDS) -p confirm $(if $(filter 1,$(CONFIRM)),True,False))
BEFORE := $(RUN)/$(1)/$(2).nc
endef
$(foreach study,$(STUDIES),$(foreach condition,$(CONDITIONS),$(eval $(call training,$(study),$(condition)))))

TRAINED := $(foreach study,$(STUDIES),$(foreach condition,$(CONDITIONS),$(RUN)/$(study)/$(condition).nc))

# Every other notebook reads what was trained: a new one needs no line here. Longest first, so that the two that run
# side by side end together; 07_claims reads what the others have saved, 12 and 16 are asked for by name.
FIRST   := 01_download 02_segment 03_train
LAST    := 07_claims
APART   := 12_motion_to_emg 16_c3d_to_emg $(if $(STUDY)$(filter open,$(DATA)),11_own_data)
LONGEST := 08_rivals 09_refine 13_controls 14_attention_tests 18_timing
# 17_people speaks of the open recordings and of nothing else.
APART   += $(if $(filter open,$(DATA)),,17_people)
OTHERS  := $(filter-out $(FIRST) $(LAST) $(APART),$(patsubst notebooks/%.ipynb,%,$(sort $(wildcard notebooks/*.ipynb))))
FIGURES := $(filter $(OTHERS),$(LONGEST)) $(filter-out $(LONGEST),$(OTHERS))

$(SITE)/17_people.html: $(SITE)/08_rivals.html

$(foreach page,$(FIGURES),$(eval $(SITE)/$(page).html: $(call code,$(page))))
$(FIGURES:%=$(SITE)/%.html): $(SITE)/%.html: notebooks/%.ipynb $(TRAINED) $(wildcard docs/*.csv)
	@$(call run,$*,$*)

$(SITE)/results.json $(SITE)/07_claims.html &: notebooks/07_claims.ipynb $(FIGURES:%=$(SITE)/%.html) $(call code,07_claims)
	@$(call run,07_claims,07_claims)

$(PUBLISHED): $(SITE)/07_claims.html $(call files,nem2e_lib/site nem2e_lib/paper)
	@mkdir -p '$(@D)'
	@$(WARM) nem2e_lib.paper.finish publish '$(RUN)' $(call q,$(OUT)) $(FIRST) $(OTHERS) $(LAST)
	@echo '$(RUN)' > '$@'
	@printf '%s\n' $(call q,Open $(OUT)/index.html)

# --- from a motion, or from C3D files: these need OpenSim and a recording, so they are asked for by name -----------------
MOTION := $(RUN)/12_motion_to_emg.html
C3D    := $(RUN)/16_c3d_to_emg.html
.PHONY: motion c3d
motion: $(MOTION)
c3d: $(C3D)

# $(call alone,notebook,page,folder of what it leaves)
alone = $(PY) -m nem2e_lib.paper.notebooks notebooks/$(1).ipynb '$(2)' --alone \
  --executed '$(RUN)/executed/$(1).ipynb' --reads '$(RUN)/reads/$(1).mk' -p folder '$(RUN)/$(3)'

$(MOTION): notebooks/12_motion_to_emg.ipynb $(call told,12_motion_to_emg) | $(EXTRAS)
	@$(call alone,12_motion_to_emg,$@,motion_to_emg)

$(C3D): notebooks/16_c3d_to_emg.ipynb $(call told,16_c3d_to_emg) | $(EXTRAS)
	@$(call alone,16_c3d_to_emg,$@,c3d_to_emg)
