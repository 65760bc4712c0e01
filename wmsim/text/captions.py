"""Captions: many ways to say each event of the Drive world, from which the understanding of text is learnt.

One event's captions are one text, parted by slashes and line ends. The phrases on which the understanding is measured
(`eval/phrases`) are others.
"""

from __future__ import annotations

from collections.abc import Mapping


def parted(text: str) -> tuple[str, ...]:
    """The phrases of a text, parted by " / " and line ends, their blanks made single."""
    return tuple(" ".join(one.split()) for line in text.splitlines() for one in line.split(" / ") if one.strip())


DRIVE: Mapping[str, tuple[str, ...]] = {
    "night": parted("""
        night / night falls / make it night / turn day into night / it is night now / let it be night / nighttime please
        set the time to midnight / switch to night / I want to drive at night / I'd like a night drive / it gets dark
        make it dark / darkness falls / let it get dark / go dark outside / it should be dark now
        could it be night time? / can we have night? / please make it late at night / the middle of the night
        dead of night / pitch black outside / make the sky black / a dark night with street lamps
        only the headlights light the road / headlights in the dark / turn off the sun / the sun is gone and it is dark
        stars come out / a starry sky / moonlight on the road / drive under the moon / show me the town at night
        what if it were night? / how about some darkness / midnight / after dark / past midnight now
        two o'clock in the morning / nocturnal / night mode / night-time scene / change the time of day to night
        black sky, lamps on / I fancy driving in the dark / bring on the night / shut off the daylight
        no more daylight / kill the sunlight / the lights of the city at night / dark as night / skip ahead to night
        jump to eleven p.m. / it's so dark I can hardly see the road / night time it is / let night come
        nightfall is over, full night / put out the daylight / everything goes black outside
        don't show the sun any more, make it night / it is not day any longer / turn off the daylight
        I want it pitch dark / let's go for a spin in the middle of the night / could it be 2 am
        make the sun disappear completely and switch to darkness / a moonlit street / let the night begin
        night-time driving please / how would this look at night / it's midnight / full darkness please
        dim everything to black / after midnight / show it by night / the night has come
        the sun has been down for hours / the town lies in darkness / I want to see the stars / let's have a night run
        bedtime for the sun / the clock strikes twelve at night / make it one a.m. / three in the morning
        nothing but headlights ahead / no light but my headlamps / lights out / go to night / switch over to night-time
        can you do night? / make the world dark / a moonless night / under a full moon / night-time driving conditions
        dark outside please / I'd love it to be dark / total darkness / the dark hours / let it be after midnight
        make it look like night / what does this road look like in the dark / please dim the sky to black
        drop the sun below the world and leave it dark / in the small hours / night driving / dark streets
        time for a night drive / it should be pitch dark / it's gone dark / bring the stars out
        replace the sun with the moon / street lamps on, sky black / daylight off
        """),
    "dusk": parted("""
        dusk / dusk falls / make it dusk / twilight / let the sun set / the sun goes down / sunset / a sunset please
        it is evening / make it evening / evening light / golden hour / give me golden light / the sky turns orange
        a red evening sky / the sun is low / low sun over the road / the sun dips below the horizon / it is getting late
        it gets dim / the light fades / the day ends / end of the day / switch to twilight / set the time to dusk
        can we have a sunset? / could you make it evening? / I want to drive into the sunset / I'd like evening light
        show me the town at sunset / what about dusk? / sundown / at sundown / the last light of the day
        half dark, just before night / shortly before nightfall / it is about to get dark / gloaming
        long shadows of evening / the sun is setting / let evening come / nearly night but not quite
        not yet night, but the sun is down / pink and orange sky / a glowing horizon / dim light of evening
        turn the clock to seven in the evening / half past seven p.m. / late afternoon turning to evening
        day fades to evening / please let it be dusk now / change the time of day to evening / early evening
        crepuscular light / warm low sunlight / fading daylight / sun low in my eyes / make the sun go down slowly
        I fancy a drive at dusk / an evening drive / the sky glows red / set the sun
        the street lamps are just coming on / dusky sky / it's dusk now / let the sun sink / what about a nice sunset
        make the evening come / sky at sundown / I'd love to see this at twilight / the light should be fading
        put the sun near the horizon / evening please / evening falls / last rays of sun / a late evening glow
        turn it to dusk / make the sky orange / the day is drawing to a close / reddish evening light / make the sun set
        have the sun go down / the sun is sinking / the sun is almost gone / show a beautiful sunset / a red sunset
        put the sun low / lower the sun / let it be early evening / sunset time / evening time / six in the evening
        eight o'clock in the evening / around sundown / let twilight begin / in the evening twilight
        between day and night / the day comes to an end / just after sunset / just before sunset
        the sky is purple and red / it's getting darker, evening is near / warm evening light on the houses
        let the sun disappear behind the houses / the sun sinks behind the hills / let the daylight fade
        fading light please / a dim evening / switch to evening light / make it a summer evening
        rush hour in the evening light / sunset over the road / dusk please / can you make it dusk / time for a sunset
        the sun almost touches the horizon / what would it look like at dusk
        """),
    "fog": parted("""
        fog / fog please / make it foggy / let there be fog / it is foggy / fog rolls in / thick fog / dense fog ahead
        bring some fog / add fog / I want fog / I'd like a foggy road / can we have fog? / could you add some mist?
        mist / misty / a misty morning / mist over the road / mist comes up / haze / hazy
        a thick haze hangs over the town / low visibility / poor visibility / visibility drops / I can't see far
        nothing can be seen beyond twenty metres / the road disappears in white / everything is white and blurred
        a wall of grey / pea soup out there / a real pea-souper / the town vanishes in the mist
        clouds come down to the ground / low cloud on the road / murky air / it gets murky / cover everything in fog
        fog up the road / turn on the fog / switch the weather to fog / set fog / fog bank ahead
        drive into a bank of fog / show me the town in fog / what if it were foggy? / how about a bit of fog
        patches of fog / autumn fog / sea fog drifts in / brume / smog / smoke and haze in the air / blanket of mist
        veil everything / hide the houses in mist / make it hard to see ahead / we need fog lights / fog lamps on
        like London fog / the air is thick / the view is blocked by fog / I fancy a foggy drive
        cannot see the next car for fog / it's getting misty out there / bring the visibility down / shroud the street
        grey mist everywhere / let it be foggy / it's very foggy / make the air thick with mist
        I would like poor visibility / let a fog bank come in / reduce visibility / make it misty / can it be foggy
        the fog gets thicker / drop a heavy mist on the town / cover the road with haze / foggy weather please
        it became hazy / more fog / give me some fog / mist everywhere / I'd like less visibility / drop the visibility
        make the view blurry with mist / let the mist roll in / the mist thickens / the fog thickens / a veil of fog
        it's a foggy day / foggy conditions / heavy fog now / there's fog everywhere / fill the street with fog
        it is so foggy I can't see / can't see a thing in this mist / white out the road with fog / grey soup
        could it get hazy / thick mist please / let haze cover everything / light fog / slight mist / a bit misty
        hide everything beyond ten metres / visibility under fifty metres / wrap the town in mist
        let clouds sink onto the road / fog comes in from the river / fog descends / fog swallows the road
        drown it in fog / driving in fog / fog over the road / fog the place up / the air is full of fog
        bring in a mist / fogbound / more mist please
        """),
    "rain": parted("""
        rain / rain please / make it rain / let it rain / it is raining / it starts to rain / rain falls / heavy rain
        light rain / a drizzle / drizzle / a shower / a downpour / pouring rain / it pours / it's pouring
        it's bucketing down / raining cats and dogs / bring on the rain / add rain / I want rain / I'd like some rain
        can we have rain? / could you make it rain? / please let it pour / turn on the rain / switch the weather to rain
        set rain / wet road / make the road wet / wet weather / the street gets wet / slippery from rain
        puddles on the road / water on the windscreen / raindrops on the windshield / wipers on
        I need the windscreen wipers / rainy / a rainy day / rainy weather please / a thunderstorm / a storm with rain
        storm clouds open up / the heavens open / a cloudburst / sheets of rain / it rains hard / torrential rain
        rainstorm / spit with rain / rain starts coming down / drops fall from the sky / water falls from the sky
        soak the road / splash through the rain / show me the town in the rain / what if it rained?
        how about some rain / I fancy a wet drive / monsoon / give us a proper soaking / let the rain begin
        start the rain / a bit of rain / it should rain now / wet the asphalt / the sky opens and it rains
        grey and raining / a spell of rain / bad weather with rain / let's have a shower of rain / tipping it down
        I don't mind rain, bring it / why not make it rain? / I'd love a shower / let the clouds burst
        let it pour down / some drizzle would be nice / the road should be wet with rain / start raining
        it begins to drizzle / make it a rainy day / rain, please / can you give me heavy rain / it is chucking it down
        bring a thunderstorm / drench the road / give me a storm / more rain / get it raining
        let's get some rain going / it is wet outside / rain drops / a heavy shower / showers / a storm breaks
        let the storm come / bring a rainstorm / storm please / stormy weather with rain / it's drizzling
        drizzle a little / rain on the windscreen / water pours from the clouds / it's pouring down / rain harder
        more rain please / let the skies open / wet weather please / I want it wet / slick wet roads / turn the road wet
        puddles form / add a shower / a sudden shower / I want to test the wipers / some rainfall / rainfall
        precipitation / soaking wet street / it's raining heavily / a rainy drive / driving in the rain
        rain clouds bring rain / make it drizzle / the weather turns to rain / it is raining out there
        """),
    "clear weather": parted("""
        clear weather / clear skies / clear sky / a clear day / make it clear / clear up the weather
        the weather clears up / sunny / make it sunny / sunshine / sunshine please / let the sun shine
        the sun comes out / bright day / a bright sunny day / blue sky / blue skies please / not a cloud in the sky
        cloudless sky / no clouds / fine weather / nice weather / good weather / fair weather / lovely weather
        beautiful day / stop the rain / no more rain / the rain stops / it stops raining / end the rain
        make the rain stop / turn off the rain / get rid of the rain / enough rain / let the rain end / lift the fog
        the fog lifts / no more fog / clear the fog / remove the fog / get rid of the fog / turn off the fog
        the mist clears / the haze goes away / stop the fog / take the mist away / without fog / without rain
        dry weather / make it dry / dry road / the road dries / dry up / good visibility / I can see far again
        perfect visibility / back to normal weather / normal weather / reset the weather / daylight / make it day
        daytime / back to daylight / broad daylight / make it bright / noon / midday sun / the sun is high
        end the storm / the storm passes / bad weather is over / I want sun / I'd like sunshine
        can we have nice weather? / could you clear the sky? / please stop raining / switch the weather to clear
        set clear weather / drive in the sunshine / a fine day for a drive / brighten up / chase the clouds away
        the sky clears / bring back the sun / the clouds part / summer's day / show me the town in sunshine
        I don't want rain any more / I'm tired of the rain / no rain any longer / no fog any more
        it is no longer foggy / please end this rain / get the sun out / let's have a sunny day / take away the fog
        I would like good weather / the weather should improve / let it stop raining / can the fog go away
        make the sky blue / sunny weather please / it's a clear day / remove the rain / cloud-free sky
        turn the rain off / bright sunshine / stop this rain now / let the rain stop / I've had enough of the rain
        halt the rain / cut the rain / rain off / rain away / make the fog disappear / make the fog go away
        let the fog vanish / the fog is gone / disperse the fog / fog off / get the fog out of here / blow the mist away
        the haze clears / clear the haze / clear the air / clear it up / better weather please / improve the weather
        good visibility please / I want to see clearly again / let me see far / dry the road / let it be dry
        it should be dry and bright / make it a nice day / a perfect day / some sun please / give me sun / sun please
        the sun is shining / let's see the sun / full sun / brighten the sky / open blue sky / a day without clouds
        remove the clouds / part the clouds / the rain is over / the bad weather ends / no rain, just sunshine
        it has stopped raining / end the fog / turn off the bad weather / back to sunshine / make it daylight again
        let it be bright day / back to clear skies
        """),
    "a car cuts in": parted("""
        a car cuts in / a car cuts in front of me / somebody cuts me off / cut me off / get cut off by a car
        make a car cut in / another car pulls in front of me / a vehicle pulls out in front of me
        a car swerves into my lane / a car merges into my lane / a car changes lanes right in front of me
        have someone change lanes into me / a car squeezes in ahead / someone pushes in front / a driver barges in
        a driver cuts across me / a car overtakes and pulls in sharply / a car passes and cuts back in / a van cuts in
        a lorry pulls out ahead / a taxi swerves in front of us / an aggressive driver cuts in
        reckless driver in front / a careless driver takes my lane / a car jumps into the gap
        a car drops into the gap ahead / cut-in / cut in / a cut-in from the left / a cut-in from the right
        do a cut-in / let a car cut in now / I want a car to cut in / can a car cut in front of us?
        could somebody cut me up? / someone cuts me up / cut me up / a car suddenly appears in my lane
        a vehicle moves into our lane / traffic merges in front of me / a car noses in / a car slips in between
        another vehicle enters my lane abruptly / a car from the next lane comes over
        the car beside me moves over into my lane / make the other car pull in ahead of me
        have a driver pull out in front / send a car across my path / a vehicle forces its way in
        block my lane with a car / an idiot cuts in / some jerk cuts me off / a car dives in front of the bonnet
        sudden lane change by another car / a car brakes in front of me after cutting in
        a motorist intrudes into my lane / simulate a cut-in / a car steals my gap / a car wedges itself in front of me
        test me with a car cutting in / car cutting in / let another driver cut me off / a car should move into my lane
        make someone merge in front of us / have a car pull in right before me / a vehicle cuts in sharply
        a truck cuts in ahead of me / I want to be cut off / another car squeezes into my lane / some driver cuts in
        let a car swerve in front of me / cutting in by another car / car merges suddenly
        get a car to jump in front of me / somebody pulls out into my path / a rude driver cuts in front
        someone changes lanes into me / another driver takes my right of way and pulls in
        let the car next to me pull in / a car comes into my lane without signalling
        the neighbour car changes into my lane / a car forces me to brake by moving in / car moving into my lane
        a vehicle merges right ahead of me / have a car merge in front / make a car merge in front of me
        let a van pull in ahead / a driver without manners squeezes in / a sports car darts in front of me
        a car shoots into my lane / a car slides over in front of us / a car sneaks in front of me
        someone steals my place in the lane / let someone overtake me and cut back in / a cab cuts me off
        a truck pulls into my lane / have a lorry cut in / get cut up / get cut off / being cut off
        someone cuts across my bow / a car crosses into my lane / a cutting-in car / cutting in
        put a car right in front of me / drop a car in front of me / a car appears right in front
        somebody jumps the queue in front of me / an impatient driver pushes in / a car barges into the lane
        close cut-in / dangerous cut-in by another car / a reckless lane change ahead of me
        """),
    "a pedestrian crosses": parted("""
        a pedestrian crosses / a pedestrian crosses the road / someone crosses the street
        somebody walks across the road / a person walks in front of the car / a man crosses the road
        a woman crosses the street / a child runs into the road / a kid runs out / children cross the street
        an old lady crosses / a walker steps off the kerb / a walker steps off the curb
        a pedestrian steps onto the road / a pedestrian on the crosswalk / a pedestrian at the zebra crossing
        jaywalker / a jaywalker / somebody jaywalks / make a pedestrian cross / let someone cross
        send a pedestrian across / I want a pedestrian to cross / can somebody walk over the road?
        could a person cross in front of me? / have a person step out in front of me / a person in the road
        people on the road / people cross ahead / a pedestrian ahead / pedestrian / pedestrian crossing
        somebody dashes across / someone runs across the street / a runner crosses / a jogger crosses my path
        a figure steps out between parked cars / a boy chases a ball into the street / someone on foot crosses
        someone walks out in front of us / a passer-by crosses / a student hurries across / a man with a dog crosses
        a mother with a pram crosses / a person strolls across the lane / a bystander steps into the road
        put a person on the street / put someone in front of the car / add a pedestrian / spawn a pedestrian
        a human on the road / test my brakes with a pedestrian / let a person go over the road / people want to cross
        someone wants to cross / a person is crossing / pedestrian crossing the street ahead / a guy walks across
        a bloke wanders across the road / a girl walks over the road / a careless pedestrian
        someone is walking in the road / look, a person crossing / let a person cross the road
        somebody steps onto the street / a man walks across / make a kid run across the road
        I want someone to walk in front of the car / a pedestrian is crossing / there's someone on the crosswalk
        a lady crosses the road / have somebody jaywalk / person crossing / a pedestrian runs across
        a boy runs over the street / people walk over the zebra crossing / someone steps off the pavement
        put a pedestrian in my way / have someone cross / let people cross / a pedestrian walks over the road
        a pedestrian is on the road / a person steps out / an old man crosses slowly / an elderly woman crosses
        two people cross the street / a family crosses / school children cross / a tourist steps into the street
        someone runs into the road / a child runs after a ball / a kid chases a ball / somebody jumps onto the street
        someone crosses without looking / somebody on the crossing / people at the crosswalk / a lady with a bag crosses
        someone pushes a pram across / pedestrian in front of me / pedestrian on the road
        somebody walks in front of my car / place a person in the road / put a human in my path
        let somebody walk into the street / make a man walk across / make a woman cross the road / get a person to cross
        I'd like someone to step out / a person wants to get to the other side / somebody goes across the road
        careful, someone is crossing / someone darts out / someone hurries across / a person wanders into the road
        bring a pedestrian
        """),
    "road works ahead": parted("""
        road works ahead / roadworks / road work ahead / there are roadworks / construction ahead / road construction
        a construction site on the road / a construction zone / a work zone / put up roadworks / add road works
        add a construction site / the road is being repaired / they are repairing the road / workers dig up the street
        the street is dug up / men at work / workmen on the road / cones on the road / traffic cones ahead
        orange cones / a row of cones blocks the lane / barriers on the road / a barrier across my lane
        my lane is closed / lane closed ahead / lane closure / a closed lane / the lane is blocked by construction
        road closed for repairs / a building site ahead / a digger in the road / an excavator in my lane / resurfacing
        they lay new asphalt / fresh tarmac is being laid / pothole repairs / maintenance work on the street
        street maintenance / set up a work site / set up cones / place cones in front of me / I want road works
        I'd like a construction zone / can we have roadworks? / could you block the lane with cones?
        how about some roadworks / let there be road works / roadworks coming up / roadworks in a hundred metres
        bring on the construction crew / a road crew is working / highway workers ahead / hazard cones and barriers
        a detour because of construction / diversion ahead / narrow lane at roadworks / a hole in the road with barriers
        tear up the road ahead / close my lane / put a barricade in the way / barricades ahead
        they're fixing the street / warning signs for road work / show me road works / utility works in the street
        roadwork / put a construction site in front of me / cones block the lane / there should be road works
        construction workers on the road / road repairs ahead / I'd like some road construction / set up barriers
        the lane ahead is closed / add traffic cones / block the road with cones / roadworks please
        they're digging up the road / a work zone ahead / repair works on the street / construction zone in my lane
        some road repair / roadworks on my side / road maintenance / repair the road ahead / let them repair the road
        workers in the lane / a work crew blocks the road / have workers block my lane / block the lane / close a lane
        close the lane ahead / put barriers in the way / a road barrier / a construction barrier
        a fence around a hole in the road / trench in the road / they are digging / digging works ahead
        builders on the road / building works on the street / construction works / construction works in front of me
        a steamroller on the road / a bulldozer blocks the way / an area of construction / cones ahead
        cones in my lane / put cones on the road / put down some cones / set a cone in the lane / pylons on the road
        a sign says road works / the tarmac is being replaced / repaving / the road is torn up / road under construction
        obstruct my lane with a construction site / temporary lane closure / a road works zone comes up
        roadworks for the next stretch
        """),
}
"""Event -> ways to say it."""
